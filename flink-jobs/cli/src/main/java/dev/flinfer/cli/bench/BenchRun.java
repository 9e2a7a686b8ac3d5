package dev.flinfer.cli.bench;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;

/** Measures an engine with batches of random prompts. Not thread-safe. */
final class BenchRun {
  private static final double NANOS_PER_SECOND = 1e9;

  /**
   * The duration and the work of one run.
   *
   * @param promptTokens tokens of all prompts
   * @param cachedTokens prompt tokens that came from the prefix cache
   * @param prefillSeconds time until every sequence has its first token
   * @param decodeTokens tokens generated after that
   * @param decodeSeconds time to generate them
   * @param decodeSteps forward passes in that time
   */
  record Result(
      long promptTokens,
      long cachedTokens,
      double prefillSeconds,
      long decodeTokens,
      double decodeSeconds,
      long decodeSteps) {

    double prefillTokensPerSecond() {
      return promptTokens / prefillSeconds;
    }

    double decodeTokensPerSecond() {
      return decodeTokens / decodeSeconds;
    }

    double stepMillis() {
      return 1000 * decodeSeconds / decodeSteps;
    }
  }

  private final LlmEngine engine;
  private final int prompt;
  private final int generate;
  private final double temperature;
  private final LongSupplier nanoTime;
  private final Random random = new Random(1);
  private final List<Integer> prefix;
  private int requests;

  BenchRun(
      LlmEngine engine, BenchReport.Lengths lengths, double temperature, LongSupplier nanoTime) {
    this.engine = engine;
    this.prompt = lengths.prompt();
    this.generate = lengths.generate();
    this.temperature = temperature;
    this.nanoTime = nanoTime;
    this.prefix = randomTokens(lengths.prefix());
  }

  /** Runs prefill only, and then the same number of other prompts with decode. */
  Result run(int batch) {
    List<Timed> first = submit(batch, 1);
    long begin = first.get(0).submitted;
    long prefilled = first.stream().mapToLong(Timed::end).max().orElseThrow();
    long cached = first.stream().mapToLong(t -> t.completion.join().getCachedTokens()).sum();

    List<Timed> second = submit(batch, generate);
    long allStarted = second.stream().mapToLong(t -> t.times[0]).max().orElseThrow();
    long end = second.stream().mapToLong(Timed::end).max().orElseThrow();
    long tokens = 0;
    long steps = 0;
    for (Timed timed : second) {
      long after = IntStream.range(0, timed.count).filter(i -> timed.times[i] > allStarted).count();
      tokens += after;
      steps = Math.max(steps, after); // each step gives every sequence one token
    }
    return new Result(
        (long) batch * prompt,
        cached,
        (prefilled - begin) / NANOS_PER_SECOND,
        tokens,
        (end - allStarted) / NANOS_PER_SECOND,
        steps);
  }

  /**
   * Whether a request has the same tokens, and the same bits of their log-probabilities, in a batch
   * of the given size as alone. The other prompts differ in length, so that it shares steps with
   * prefill and decode of the others.
   */
  boolean isInvariant(int batch) {
    CompletionRequest probe = request(prompt, generate);
    probe.setLogprobs(0);
    Completion alone = submit(List.of(probe)).get(0).completion.join();
    List<CompletionRequest> all = new ArrayList<>();
    for (int i = 1; i < batch; i++) {
      all.add(request(Math.max(prefix.size() + 1, prompt - i), generate));
    }
    all.add(batch / 2, probe);
    Completion among = submit(all).get(batch / 2).completion.join();
    return alone.getTokenIds().equals(among.getTokenIds())
        && alone.getLogprobs().equals(among.getLogprobs());
  }

  private List<Timed> submit(int batch, int maxTokens) {
    return submit(IntStream.range(0, batch).mapToObj(i -> request(prompt, maxTokens)).toList());
  }

  private CompletionRequest request(int length, int maxTokens) {
    List<Integer> tokens = new ArrayList<>(prefix);
    tokens.addAll(randomTokens(length - prefix.size()));
    return CompletionRequest.newBuilder()
        .setId("bench-" + requests++)
        .setPromptTokenIds(tokens)
        .setMaxTokens(maxTokens)
        .setTemperature(temperature)
        .setIgnoreEos(true)
        .build();
  }

  private List<Timed> submit(List<CompletionRequest> toSend) {
    List<Timed> timed = new ArrayList<>();
    for (CompletionRequest request : toSend) {
      Timed one = new Timed(nanoTime, request.getMaxTokens());
      timed.add(one);
      engine.submit(request, GeneratedTokens.NONE, one);
    }
    timed.forEach(Timed::end);
    return timed;
  }

  private List<Integer> randomTokens(int count) {
    return random.ints(count, 0, engine.model().vocabSize()).boxed().toList();
  }

  /** Records the time of each token. Written by the engine's thread, read after the completion. */
  private static final class Timed implements GenerationListener {
    final CompletableFuture<Completion> completion = new CompletableFuture<>();
    final long submitted;
    final long[] times; // (max_tokens), nanoseconds
    private final LongSupplier nanoTime;
    int count;

    Timed(LongSupplier nanoTime, int maxTokens) {
      this.nanoTime = nanoTime;
      this.submitted = nanoTime.getAsLong();
      this.times = new long[maxTokens];
    }

    /** Waits for the completion and returns the time of its last token. */
    long end() {
      try {
        completion.join();
      } catch (CompletionException e) {
        throw e.getCause() instanceof EngineException failure ? failure : e;
      }
      return times[count - 1];
    }

    @Override
    public void onToken(int token, String text) {
      times[count++] = nanoTime.getAsLong();
    }

    @Override
    public void onCompletion(Completion done) {
      completion.complete(done);
    }

    @Override
    public void onFailure(EngineException failure) {
      completion.completeExceptionally(failure);
    }
  }
}
