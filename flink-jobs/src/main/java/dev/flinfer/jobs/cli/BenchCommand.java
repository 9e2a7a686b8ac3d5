package dev.flinfer.jobs.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.LlmEngine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "bench",
    description = "Measure the engine: tokens a second of prefill and decode.",
    footer = {
      "",
      "Each batch size is run once to warm up and then --runs times; the figures are",
      "medians. Prompts are random tokens. Prefill is measured with prompts that",
      "generate one token; decode from the last first token to the last token.",
      "",
      "Example:",
      "  flinfer bench --random phi-2 --weights q8_0 --batch 1,8,32 --prompt 128"
    })
final class BenchCommand implements Callable<Integer> {
  private static final String ROW = "%8s%20s%20s%12s%16s";

  private final Console console;

  @ArgGroup(multiplicity = "1")
  private Source source;

  private static final class Source {
    @Option(
        names = "--model",
        paramLabel = "PATH",
        description = "GGUF file, or model directory in Hugging Face's layout.")
    private Path model;

    @Option(
        names = "--random",
        paramLabel = "NAME",
        description = "Random weights in the shape of phi-1, phi-1.5 or phi-2.")
    private String random;

    Path path() {
      return random == null ? Models.path(model) : Path.of("random:" + random);
    }
  }

  @Option(
      names = "--batch",
      paramLabel = "N",
      split = ",",
      defaultValue = "1,8,32",
      description = "Sequences at a time, one figure each (default: ${DEFAULT-VALUE}).")
  private List<Integer> batches;

  @Option(
      names = "--prompt",
      paramLabel = "N",
      defaultValue = "128",
      description = "Tokens of a prompt (default: ${DEFAULT-VALUE}).")
  private int prompt;

  @Option(
      names = "--generate",
      paramLabel = "N",
      defaultValue = "32",
      description = "Tokens to generate, at least 2 (default: ${DEFAULT-VALUE}).")
  private int generate;

  @Option(
      names = "--prefix",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Tokens that all prompts share at their start, taken from the prefix cache from the"
              + " second prompt on (default: ${DEFAULT-VALUE}).")
  private int prefix;

  @Option(
      names = "--runs",
      paramLabel = "N",
      defaultValue = "3",
      description = "Runs behind each median (default: ${DEFAULT-VALUE}).")
  private int runs;

  @Option(names = "--json", description = "Print one JSON object instead of a table.")
  private boolean json;

  @Mixin private EngineArguments engineArguments;

  BenchCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    check();
    long start = console.nanoTime().getAsLong();
    try (LlmEngine engine = LlmEngine.open(options())) {
      double loading = (console.nanoTime().getAsLong() - start) / 1e9;
      List<Measurement> measured = new ArrayList<>();
      BenchRun bench = new BenchRun(engine, prompt, generate, prefix, console.nanoTime());
      for (int batch : batches) {
        console.say("flinfer: measuring batch %d".formatted(batch));
        measured.add(measure(bench, batch));
      }
      print(engine, loading, measured);
    }
    return 0;
  }

  private void check() {
    atLeast("--runs", runs, 1);
    atLeast("--prompt", prompt, 1);
    atLeast("--generate", generate, 2);
    atLeast("--prefix", prefix, 0);
    batches.forEach(batch -> atLeast("--batch", batch, 1));
    if (prefix >= prompt) {
      throw new UserError(
          "--prefix is %d; it must be less than --prompt, which is %d".formatted(prefix, prompt));
    }
  }

  private static void atLeast(String option, int value, int least) {
    if (value < least) {
      throw new UserError("%s is %d; it must be at least %d".formatted(option, value, least));
    }
  }

  /** The engine for the largest batch; its prefix cache only where prompts are to share. */
  private EngineOptions options() {
    EngineOptions given = engineArguments.forModel(source.path());
    int seqs = Collections.max(batches);
    return given.toBuilder()
        .maxNumSeqs(seqs)
        .maxNumBatchedTokens(Math.max(seqs, given.maxNumBatchedTokens()))
        .maxModelLen(given.maxModelLen() > 0 ? given.maxModelLen() : prompt + generate)
        .enablePrefixCaching(prefix > 0)
        .build();
  }

  /** Medians of one batch size. */
  private record Measurement(
      int batch, double prefill, double decode, double stepMillis, double cachedTokens) {}

  private Measurement measure(BenchRun bench, int batch) {
    bench.run(batch);
    List<BenchRun.Result> results = new ArrayList<>();
    for (int i = 0; i < runs; i++) {
      results.add(bench.run(batch));
    }
    return new Measurement(
        batch,
        median(results.stream().map(BenchRun.Result::prefillTokensPerSecond).toList()),
        median(results.stream().map(BenchRun.Result::decodeTokensPerSecond).toList()),
        median(results.stream().map(BenchRun.Result::stepMillis).toList()),
        median(results.stream().map(r -> (double) r.cachedTokens()).toList()));
  }

  /** The middle one, or the mean of the two in the middle. */
  static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }

  private void print(LlmEngine engine, double loading, List<Measurement> measured) {
    if (json) {
      console.print(List.of(toJson(engine, loading, measured).toString()));
      return;
    }
    List<String> lines = new ArrayList<>();
    lines.add(
        "%s on %s, loaded in %s s"
            .formatted(engine.model().name(), engine.model().device(), Text.figure(loading)));
    lines.add("%d prompt tokens, %d generated".formatted(prompt, generate));
    lines.add("");
    lines.add(ROW.formatted("batch", "prefill tokens/s", "decode tokens/s", "ms/step", "cached"));
    for (Measurement m : measured) {
      lines.add(
          ROW.formatted(
              m.batch,
              Text.figure(m.prefill),
              Text.figure(m.decode),
              Text.figure(m.stepMillis),
              Text.figure(m.cachedTokens)));
    }
    PeakMemory.mebibytes()
        .ifPresent(
            peak -> lines.addAll(List.of("", "peak memory %s MiB".formatted(Text.count(peak)))));
    console.print(lines);
  }

  private ObjectNode toJson(LlmEngine engine, double loading, List<Measurement> measured) {
    ObjectNode object = new ObjectMapper().createObjectNode();
    object.put("model", engine.model().name());
    object.put("device", engine.model().device());
    object.put("weights", engineArguments.weights == null ? "auto" : engineArguments.weights);
    object.put("prompt", prompt).put("generate", generate).put("prefix", prefix);
    object.put("runs", runs).put("load_s", loading);
    PeakMemory.mebibytes().ifPresent(peak -> object.put("peak_memory_mib", peak));
    ArrayNode results = object.putArray("results");
    for (Measurement m : measured) {
      results
          .addObject()
          .put("batch", m.batch)
          .put("prefill_tokens_per_s", m.prefill)
          .put("decode_tokens_per_s", m.decode)
          .put("step_ms", m.stepMillis)
          .put("cached_tokens", m.cachedTokens);
    }
    return object;
  }
}
