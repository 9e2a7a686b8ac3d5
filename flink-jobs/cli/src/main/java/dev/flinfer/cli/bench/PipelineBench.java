package dev.flinfer.cli.bench;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.flink.FlinferOptions;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.apache.flink.configuration.Configuration;

/**
 * Measures the cost of the pipeline around the engine: the same requests run through Kafka and
 * Flink and on the engine alone, alternately and in one process.
 */
final class PipelineBench {

  /**
   * The results of both, one per run.
   *
   * @param forwardPass {@code model} or {@code free}
   * @param promptTokens mean number of prompt tokens per request
   * @param sameTokens whether the pipeline's completions have the same tokens as those of the
   *     engine alone
   */
  record Measurement(
      String forwardPass,
      int requests,
      double promptTokens,
      List<BenchWork.Result> engine,
      List<BenchWork.Result> pipeline,
      boolean sameTokens) {

    Spread engine(ToDoubleFunction<BenchWork.Result> figure) {
      return Spread.of(engine.stream().mapToDouble(figure).toArray());
    }

    Spread pipeline(ToDoubleFunction<BenchWork.Result> figure) {
      return Spread.of(pipeline.stream().mapToDouble(figure).toArray());
    }

    /** Returns the pipeline's tokens/s divided by the engine's, for each pair of runs. */
    Spread ratio() {
      double[] ratios = new double[engine.size()];
      for (int i = 0; i < ratios.length; i++) {
        ratios[i] = pipeline.get(i).tokensPerSecond() / engine.get(i).tokensPerSecond();
      }
      return Spread.of(ratios);
    }
  }

  private final EngineOptions options;
  private final BenchPrompts prompts;
  private final int runs;

  /**
   * @param runs pairs of runs to measure, after one pair to warm up
   */
  PipelineBench(EngineOptions options, BenchPrompts prompts, int runs) {
    this.options = options;
    this.prompts = prompts;
    this.runs = runs;
  }

  Measurement withModel(int requests) throws IOException {
    try (LlmEngine engine = LlmEngine.open(options)) {
      return measure("model", engine, requests);
    }
  }

  Measurement withFreeForwardPass(int requests) throws IOException {
    try (LlmEngine engine = LlmEngine.openFree(options)) {
      return measure("free", engine, requests);
    }
  }

  private Measurement measure(String forwardPass, LlmEngine engine, int count) throws IOException {
    List<BenchWork.Result> alone = new ArrayList<>();
    List<BenchWork.Result> piped = new ArrayList<>();
    double promptTokens = 0;
    boolean same = true;
    try (PipelineJob job = PipelineJob.start(engine, configuration())) {
      for (int run = 0; run <= runs; run++) {
        List<CompletionRequest> requests = prompts.next(count);
        boolean engineFirst = run % 2 == 0;
        BenchWork.Run before = engineFirst ? BenchWork.run(engine, requests) : null;
        BenchWork.Run pipeline = job.run(requests);
        BenchWork.Run bare = engineFirst ? before : BenchWork.run(engine, requests);
        same &= sameTokens(bare.completions(), pipeline.completions());
        promptTokens =
            bare.completions().values().stream()
                .mapToInt(Completion::getPromptTokens)
                .average()
                .orElse(0);
        if (run > 0) {
          alone.add(bare.result());
          piped.add(pipeline.result());
        }
      }
    }
    return new Measurement(forwardPass, count, promptTokens, alone, piped, same);
  }

  /** Returns the options that the job derives its limits from; the engine already exists. */
  private Configuration configuration() {
    Configuration config = new Configuration();
    FlinferOptions.set(config, options);
    return config;
  }

  private static boolean sameTokens(Map<String, Completion> some, Map<String, Completion> others) {
    return some.size() == others.size()
        && some.values().stream()
            .allMatch(
                one -> {
                  Completion other = others.get(one.getId());
                  return other != null && one.getTokenIds().equals(other.getTokenIds());
                });
  }
}
