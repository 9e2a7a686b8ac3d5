package dev.flinfer.engine;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.CacheType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A separate process that completes prompts greedily with llama.cpp, so that a crash of native code
 * does not end the tests. It writes results to a file, one line per prompt, because llama.cpp
 * writes to both output streams.
 */
final class LlamaPeer {
  /** Exit status when the native library does not load here. */
  static final int NO_LIBRARY = 3;

  private LlamaPeer() {}

  /** Arguments: file of results, tokens to generate, file of prompts, models. */
  public static void main(String[] args) throws Exception {
    Path results = Path.of(args[0]);
    int tokens = Integer.parseInt(args[1]);
    List<String> prompts = Files.readAllLines(Path.of(args[2]));
    StringBuilder lines = new StringBuilder();
    try {
      for (int i = 3; i < args.length; i++) {
        complete(args[i], prompts, tokens, lines);
      }
    } catch (UnsatisfiedLinkError e) {
      Files.writeString(results, e.toString());
      System.exit(NO_LIBRARY);
    }
    Files.writeString(results, lines, StandardCharsets.UTF_8);
    // The binding leaves a thread that would keep the process running forever.
    Runtime.getRuntime().halt(0);
  }

  private static void complete(
      String model, List<String> prompts, int tokens, StringBuilder lines) {
    ModelParameters parameters =
        new ModelParameters()
            .setModel(model)
            .setCtxSize(256)
            .setThreads(1)
            .setGpuLayers(0)
            .setCacheTypeK(CacheType.F32)
            .setCacheTypeV(CacheType.F32)
            .skipWarmup();
    try (LlamaModel llama = new LlamaModel(parameters)) {
      for (String prompt : prompts) {
        InferenceParameters greedy =
            new InferenceParameters(prompt)
                .setTemperature(0)
                .setRepeatPenalty(1)
                .setCachePrompt(false)
                .setNPredict(tokens);
        lines.append(llama.complete(greedy)).append('\n');
      }
    }
  }
}
