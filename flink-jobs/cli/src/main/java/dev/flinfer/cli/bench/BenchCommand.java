package dev.flinfer.cli.bench;

import static dev.flinfer.engine.EngineOption.DEVICE;
import static dev.flinfer.engine.EngineOption.ENABLE_PREFIX_CACHING;
import static dev.flinfer.engine.EngineOption.MAX_MODEL_LEN;
import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;
import static dev.flinfer.engine.EngineOption.MAX_NUM_SEQS;
import static dev.flinfer.engine.EngineOption.THREADS;
import static dev.flinfer.engine.EngineOption.WEIGHTS;

import dev.flinfer.cli.Console;
import dev.flinfer.cli.EngineArguments;
import dev.flinfer.cli.Text;
import dev.flinfer.cli.UsageError;
import dev.flinfer.engine.DeviceSpecifier;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.ModelSize;
import dev.flinfer.engine.cpu.CpuLimits;
import dev.flinfer.engine.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "bench",
    description = "Measure the engine, or the whole pipeline, in tokens per second.",
    footer = {
      "",
      "Each batch size is run once to warm up and then --runs times; the figures are",
      "medians. Prompts are random tokens. Prefill is measured with prompts that",
      "generate one token. Decode is measured from when every sequence has its first",
      "token to the last token.",
      "",
      "On the CPU, two small loops first measure how fast this machine's threads read",
      "from memory (512 MiB, which peak memory includes) and multiply and add in fp32.",
      "The columns memory and fp32 compare a decode step with these limits: the time",
      "for reading the weights once, and for the products of its tokens, as a share of",
      "the time that the step took. oneDNN multiplies in bf16, which can exceed the",
      "limit of fp32. On other devices there are no shares.",
      "",
      "One request is also run alone and in each batch: its tokens and the bits of",
      "their log-probabilities must be the same. If they are not, the exit code is 1.",
      "",
      "With --pipeline, the same requests, made of words, are completed alternately by",
      "the engine alone and from Kafka to Kafka through a Flink job, and then again",
      "with a forward pass that costs nothing. Broker, job and engine share this",
      "process and its cores. All prompts are written first; the time is taken from",
      "their commit to the timestamp of the last completion. Requests/CPU s divides by",
      "the CPU time of the whole process. Both must give the same tokens, otherwise",
      "the exit code is 1.",
      "",
      "Examples:",
      "  flinfer bench --random phi-2 --weights q8_0 --batch 1,8,32 --prompt 128",
      "  flinfer bench --pipeline --model deploy/demo-model --prompt 16 --generate 8"
    })
public final class BenchCommand implements Callable<Integer> {
  private static final int REQUESTS_PER_SEQUENCE = 10;
  private static final int FREE_REQUESTS = 20_000;

  private final Console console;

  @ArgGroup(multiplicity = "1")
  private BenchModel source;

  @Option(
      names = "--batch",
      paramLabel = "N",
      split = ",",
      defaultValue = "1,8,32",
      description = "Batch sizes to measure, in sequences (default: ${DEFAULT-VALUE}).")
  private List<Integer> batches;

  @Option(
      names = "--prompt",
      paramLabel = "N",
      defaultValue = "128",
      description = "Tokens per prompt (default: ${DEFAULT-VALUE}).")
  private int prompt;

  @Option(
      names = "--generate",
      paramLabel = "N",
      defaultValue = "32",
      description = "Tokens to generate per request, at least 2 (default: ${DEFAULT-VALUE}).")
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
      description = "Runs per median (default: ${DEFAULT-VALUE}).")
  private int runs;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "0",
      description = "Sampling temperature (default: ${DEFAULT-VALUE}, which is greedy).")
  private double temperature;

  @Option(
      names = "--free",
      description =
          "Measure with a forward pass that costs nothing, so that only scheduling, sampling"
              + " and detokenization take time.")
  private boolean free;

  @Option(
      names = "--pipeline",
      description = "Compare Kafka to Kafka with the engine alone, with the largest --batch.")
  private boolean pipeline;

  @Option(
      names = "--requests",
      paramLabel = "N",
      description = "With --pipeline: requests per run with the model (default: 10 per sequence).")
  private Integer requests;

  @Option(
      names = "--free-requests",
      paramLabel = "N",
      description =
          "With --pipeline: requests per run with a forward pass that costs nothing"
              + " (default: 20000).")
  private Integer freeRequests;

  @Option(names = "--json", description = "Print one JSON object instead of a table.")
  private boolean json;

  @Mixin private EngineArguments engineArguments;

  public BenchCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    check();
    return pipeline ? benchPipeline() : benchEngine();
  }

  private int benchEngine() {
    EngineOptions options = options();
    CpuLimits machine = free ? null : limits(options);
    BenchReport.Lengths lengths = new BenchReport.Lengths(prompt, prefix, generate, runs);
    long start = console.nanoTime().getAsLong();
    BenchReport report;
    try (LlmEngine engine = free ? LlmEngine.openFree(options) : LlmEngine.open(options)) {
      double loading = (console.nanoTime().getAsLong() - start) / 1e9;
      List<BenchReport.Measurement> measured = new ArrayList<>();
      BenchRun bench = new BenchRun(engine, lengths, temperature, console.nanoTime());
      for (int batch : batches) {
        console.say("flinfer: measuring batch %d".formatted(batch));
        measured.add(measure(bench, batch));
      }
      boolean onCpu = engine.model().device().startsWith("cpu (");
      report =
          new BenchReport(
              engine.model(),
              options.text(WEIGHTS),
              lengths,
              loading,
              machine == null || !onCpu
                  ? null
                  : new BenchReport.Limits(machine, ModelSize.of(options)),
              measured);
    }
    console.print(json ? List.of(report.json().toString()) : report.table());
    return report.batchInvariant() ? 0 : 1;
  }

  /** Returns null if the engine cannot run on the CPU. */
  private CpuLimits limits(EngineOptions options) {
    DeviceSpecifier device = options.get(DEVICE);
    if (!device.equals(DeviceSpecifier.AUTO) && !device.equals(DeviceSpecifier.CPU)) {
      return null;
    }
    console.say("flinfer: measuring this machine's limits");
    int threads = options.get(THREADS);
    return CpuLimits.measure(threads > 0 ? threads : Runtime.getRuntime().availableProcessors());
  }

  private int benchPipeline() throws IOException {
    EngineOptions options = options();
    Tokenizer tokenizer = source.isRandom() ? Tokenizer.ofBytes() : Tokenizer.load(source.path());
    PipelineBench bench =
        new PipelineBench(options, new BenchPrompts(tokenizer, prompt, generate), runs);
    int count = requests == null ? REQUESTS_PER_SEQUENCE * options.get(MAX_NUM_SEQS) : requests;
    int free = freeRequests == null ? FREE_REQUESTS : freeRequests;
    console.say("flinfer: measuring %s with the model".formatted(Text.plural(count, "request")));
    PipelineBench.Measurement model = bench.withModel(count);
    console.say("flinfer: measuring %s without the model".formatted(Text.plural(free, "request")));
    PipelineBench.Measurement without = bench.withFreeForwardPass(free);
    PipelineReport report =
        new PipelineReport(options.model(), generate, runs, List.of(model, without));
    console.print(json ? List.of(report.json().toString()) : report.table());
    return report.sameTokens() ? 0 : 1;
  }

  private void check() {
    atLeast("--runs", runs, 1);
    atLeast("--prompt", prompt, 1);
    atLeast("--generate", generate, pipeline ? 1 : 2);
    atLeast("--prefix", prefix, 0);
    batches.forEach(batch -> atLeast("--batch", batch, 1));
    if (prefix >= prompt) {
      throw new UsageError(
          "--prefix is %d; it must be less than --prompt, which is %d".formatted(prefix, prompt));
    }
    if (temperature < 0 || !Double.isFinite(temperature)) {
      throw new UsageError(
          "--temperature is %s; it must be a finite number, at least 0".formatted(temperature));
    }
    if (pipeline && prefix > 0) {
      throw new UsageError("--prefix is %d; with --pipeline it must be 0".formatted(prefix));
    }
    if (pipeline && (temperature > 0 || free)) {
      throw new UsageError(
          "%s is given with --pipeline, which is greedy and measures both; remove it"
              .formatted(free ? "--free" : "--temperature"));
    }
    if (requests != null) {
      onlyWithPipeline("--requests");
      atLeast("--requests", requests, 1);
    }
    if (freeRequests != null) {
      onlyWithPipeline("--free-requests");
      atLeast("--free-requests", freeRequests, 1);
    }
  }

  private void onlyWithPipeline(String option) {
    if (!pipeline) {
      throw new UsageError(option + " is given without --pipeline; add --pipeline or remove it");
    }
  }

  private static void atLeast(String option, int value, int least) {
    if (value < least) {
      throw new UsageError("%s is %d; it must be at least %d".formatted(option, value, least));
    }
  }

  /** Returns options for the largest batch, with a prefix cache only if prompts share a prefix. */
  private EngineOptions options() {
    EngineOptions given = engineArguments.forModel(source.path());
    int seqs = Collections.max(batches);
    int length = given.get(MAX_MODEL_LEN);
    EngineOptions.Builder options =
        given.toBuilder()
            .set(MAX_NUM_SEQS, seqs)
            .set(MAX_NUM_BATCHED_TOKENS, Math.max(seqs, given.get(MAX_NUM_BATCHED_TOKENS)))
            .set(MAX_MODEL_LEN, length > 0 ? length : prompt + generate);
    if (engineArguments.given(ENABLE_PREFIX_CACHING) == null) {
      options.set(ENABLE_PREFIX_CACHING, prefix > 0);
    }
    return options.build();
  }

  private BenchReport.Measurement measure(BenchRun bench, int batch) {
    boolean invariant = bench.isInvariant(batch);
    bench.run(batch);
    List<BenchRun.Result> results = new ArrayList<>();
    for (int i = 0; i < runs; i++) {
      results.add(bench.run(batch));
    }
    return new BenchReport.Measurement(
        batch,
        median(results, BenchRun.Result::prefillTokensPerSecond),
        median(results, BenchRun.Result::decodeTokensPerSecond),
        median(results, BenchRun.Result::stepMillis),
        median(results, BenchRun.Result::cachedTokens),
        invariant);
  }

  private static double median(
      List<BenchRun.Result> results, ToDoubleFunction<BenchRun.Result> figure) {
    return Spread.of(results.stream().mapToDouble(figure).toArray()).median();
  }
}
