package dev.flinfer.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.device.ForwardPassContract;
import dev.flinfer.engine.device.NaivePhi;
import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.schema.Completion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Compares the engine with llama.cpp on the same files: the same greedy text up to the first
 * near-tie, for every weight type. It checks the layouts of the types, the names and the tokenizer
 * against an independent reader, which our own oracle cannot.
 */
final class LlamaParityTest {
  private static final int TOKENS = 32;

  /**
   * llama.cpp rounds activations to 8 bits where weights are quantized, so its logits, which have a
   * standard deviation of 12 here, deviate by up to 0.9 as observed.
   */
  private static final double NEAR_TIE = 1;

  /** With weights that are floats, the texts were the same to the end as observed. */
  private static final double NEAR_TIE_OF_FLOATS = 0.05;

  private static final List<String> PROMPTS =
      List.of("Once upon the time", "def f(x):  return", "7 + 5 = ", "the cat's the");

  @TempDir Path directory;

  @Test
  void greedyTextIsThatOfLlamaCpp() throws Exception {
    Map<Path, RandomCheckpoint> models = models();
    List<String> theirs = completions(List.copyOf(models.keySet()));
    int next = 0;
    int same = 0;
    for (Map.Entry<Path, RandomCheckpoint> model : models.entrySet()) {
      for (String text : ours(model.getKey())) {
        String prompt = PROMPTS.get(next % PROMPTS.size());
        same += commonPrefix(model, prompt, text, theirs.get(next++));
      }
    }
    // A few near-ties are chance; if most texts diverge early, something is wrong.
    assertThat(same).isGreaterThan(theirs.size() * TOKENS * 2 / 3);
  }

  private Map<Path, RandomCheckpoint> models() {
    Map<Path, RandomCheckpoint> models = new LinkedHashMap<>();
    for (DType dtype : DType.values()) {
      add(models, dtype.name(), name -> dtype, true);
    }
    add(models, "mixed", ForwardPassContract::mixedType, false);
    return models;
  }

  private void add(
      Map<Path, RandomCheckpoint> models,
      String name,
      Function<String, DType> types,
      boolean fused) {
    Path file = directory.resolve(name + ".gguf");
    models.put(
        file,
        RandomGguf.write(
            file,
            RandomGguf.BLOCKS_OF_256,
            types,
            fused,
            name.hashCode(),
            LlamaParityTest::printable));
  }

  /** Makes visible ASCII win, so that each character is a token, and spreads the logits. */
  private static void printable(String name, float[] values) {
    for (int i = 0; i < values.length; i++) {
      if (name.equals("lm_head.bias")) {
        values[i] = i > ' ' && i < 127 ? values[i] : -10_000;
      } else if (name.equals("lm_head.weight")) {
        values[i] *= 8;
      }
    }
  }

  private List<String> completions(List<Path> models) throws IOException, InterruptedException {
    Path results = directory.resolve("results");
    Path log = directory.resolve("log");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(LlamaPeer.class.getName(), results.toString(), "" + TOKENS));
    command.add(Files.write(directory.resolve("prompts"), PROMPTS).toString());
    models.forEach(model -> command.add(model.toString()));
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("llama.cpp ends in a minute").isTrue();
    } finally {
      process.destroyForcibly();
    }
    Assumptions.assumeTrue(
        process.exitValue() != LlamaPeer.NO_LIBRARY,
        () -> "llama.cpp's native library does not load on this platform: " + text(results));
    assertThat(process.exitValue()).as(() -> "llama.cpp: " + text(log)).isZero();
    List<String> lines = Files.readAllLines(results);
    assertThat(lines).hasSize(models.size() * PROMPTS.size());
    return lines;
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  private static List<String> ours(Path model) throws Exception {
    List<CompletableFuture<Completion>> running = new ArrayList<>();
    List<String> texts = new ArrayList<>();
    try (LlmEngine engine = LlmEngine.open(EngineOptions.of(model))) {
      for (String prompt : PROMPTS) {
        running.add(
            Requests.submit(
                engine, Requests.greedy("a", prompt, TOKENS).build(), GeneratedTokens.NONE));
      }
      for (CompletableFuture<Completion> completion : running) {
        texts.add(completion.get(60, TimeUnit.SECONDS).getText());
      }
    }
    return texts;
  }

  /** The length to which both agree; where they diverge, the formulas must give a near-tie. */
  private static int commonPrefix(
      Map.Entry<Path, RandomCheckpoint> model, String prompt, String ours, String theirs) {
    assertThat(ours).as("%s after '%s'", model.getKey().getFileName(), prompt).hasSize(TOKENS);
    int same = 0;
    while (same < TOKENS && same < theirs.length() && ours.charAt(same) == theirs.charAt(same)) {
      same++;
    }
    if (same < TOKENS) {
      assertThat(theirs).hasSize(TOKENS);
      int[] start = Tokenizer.load(model.getKey()).encode(prompt);
      int[] tokens =
          IntStream.concat(Arrays.stream(start), ours.substring(0, same).chars()).toArray();
      double[][] all = new NaivePhi(model.getValue()).logits(tokens);
      double[] logits = all[all.length - 1];
      assertThat(logits[ours.charAt(same)] - logits[theirs.charAt(same)])
          .as(
              "%s after '%s': '%s' and llama.cpp '%s' diverge at %d",
              model.getKey().getFileName(), prompt, ours, theirs, same)
          .isBetween(0.0, isOfFloats(model.getKey()) ? NEAR_TIE_OF_FLOATS : NEAR_TIE);
    }
    return same;
  }

  private static boolean isOfFloats(Path model) {
    return model.getFileName().toString().matches("B?F(16|32)\\.gguf");
  }
}
