package dev.flinfer.engine;

import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/**
 * The engine's loop: take in what was submitted, schedule, forward, sample, again. One thread runs
 * it and owns the device; callers reach it through a queue and are never kept waiting.
 */
final class BatchingEngine implements LlmEngine {
  private final ForwardPass forward;
  private final AutoCloseable files;
  private final Tokenizer tokenizer;
  private final Set<Integer> eosTokenIds;
  private final ModelInfo model;
  private final InstantSource clock;
  private final BlockPool pool;
  private final Scheduler scheduler;
  private final LogitsAdjuster adjuster;
  private final Constraints constraints;
  private final float[] logits; // (max_num_seqs, vocab_size)

  private final Queue<Runnable> inbox = new ConcurrentLinkedQueue<>();
  private final Thread owner;
  private volatile boolean closed;
  private volatile EngineException failure;
  private volatile EngineStats stats;

  private long steps;
  private long sequences;
  private long promptTokens;
  private long generatedTokens;

  BatchingEngine(
      ForwardPass forward,
      AutoCloseable files,
      Tokenizer tokenizer,
      Set<Integer> eosTokenIds,
      ModelInfo model,
      EngineOptions options,
      InstantSource clock) {
    this.forward = forward;
    this.files = files;
    this.tokenizer = tokenizer;
    this.eosTokenIds = eosTokenIds;
    this.model = model;
    this.clock = clock;
    this.pool = new BlockPool(forward.numKvBlocks());
    this.scheduler =
        new Scheduler(
            options.maxNumSeqs(),
            options.maxNumBatchedTokens(),
            options.enablePrefixCaching(),
            pool);
    this.adjuster = new LogitsAdjuster(forward.vocabSize(), eosTokenIds);
    this.constraints = new Constraints(tokenizer, forward.vocabSize());
    this.logits = new float[Math.multiplyExact(options.maxNumSeqs(), forward.vocabSize())];
    publishStats();
    this.owner = new Thread(this::run, "flinfer-engine");
    owner.setDaemon(true);
    owner.start();
  }

  @Override
  public Generation submit(
      CompletionRequest request, GeneratedTokens resumeFrom, GenerationListener listener) {
    requireAlive();
    SamplingParams params = SamplingParams.of(request);
    params.requireTokensOf(model);
    int[] prompt = RequestTokens.of(request, tokenizer, model);
    TokenMasks masks = constraints.of(params.pattern());
    BiFunction<SamplingParams, GenerationListener, Sequence> maker =
        (of, heard) -> sequence(request, of, prompt, masks, heard);
    Generation generation;
    if (params.n() == 1) {
      Sequence sequence = maker.apply(params, listener);
      generation = sequence;
      send(() -> take(sequence, resumeFrom));
    } else {
      SequenceGroup group = new SequenceGroup(params, listener, resumeFrom, maker, this::take);
      generation = group;
      send(group::start);
    }
    // Whatever was sent before the failure was noted is told of it; what came later is told here.
    requireAlive();
    return generation;
  }

  private Sequence sequence(
      CompletionRequest request,
      SamplingParams params,
      int[] prompt,
      TokenMasks masks,
      GenerationListener listener) {
    CompletionText text = new CompletionText(tokenizer.decoder(), params.stops());
    Sequence sequence =
        new Sequence(request, params, prompt, text, listener, System.nanoTime(), this::cancel);
    sequence.constraint = masks == null ? null : new Constraint(masks);
    return sequence;
  }

  @Override
  public ModelInfo model() {
    return model;
  }

  @Override
  public EngineStats stats() {
    return stats;
  }

  @Override
  public boolean failed() {
    return failure != null;
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(owner);
    boolean interrupted = false;
    while (owner.isAlive() && Thread.currentThread() != owner) {
      try {
        owner.join();
      } catch (InterruptedException e) {
        interrupted = true; // the device must be free before this returns
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void requireAlive() {
    if (failure != null) {
      throw failure;
    }
    if (closed) {
      throw new EngineException("The engine for model %s is closed".formatted(model.name()));
    }
  }

  private void cancel(Sequence sequence) {
    send(() -> scheduler.remove(sequence));
  }

  private void send(Runnable message) {
    inbox.add(message);
    LockSupport.unpark(owner);
  }

  private void run() {
    try {
      while (!closed) {
        takeIn();
        finishOverdue();
        List<Scheduler.Scheduled> step = scheduler.schedule();
        if (step.isEmpty()) {
          publishStats();
          if (inbox.isEmpty() && !closed) {
            LockSupport.park(this);
          }
        } else {
          compute(step);
        }
      }
    } catch (RuntimeException | Error e) {
      fail(e);
    } finally {
      closeDevice();
    }
  }

  private void takeIn() {
    Runnable message;
    while ((message = inbox.poll()) != null) {
      message.run();
    }
  }

  /** A new sequence; what it resumes from is replayed, and may be all there is to do. */
  private void take(Sequence sequence, GeneratedTokens resumeFrom) {
    if (sequence.cancelled()) {
      return;
    }
    // What an older version kept may lack log-probabilities. From the start it comes out the same.
    GeneratedTokens known =
        resumeFrom.holds(sequence.params, model.vocabSize()) ? resumeFrom : GeneratedTokens.NONE;
    int[] tokens = known.tokens();
    for (int i = 0; i < tokens.length; i++) {
      sequence.append(tokens[i], known.logprobsOf(i));
      sequence.finishReason = finishReason(sequence);
      if (sequence.finishReason != null) {
        finish(sequence);
        return;
      }
    }
    sequence.text.stream(false);
    scheduler.add(sequence);
  }

  private void compute(List<Scheduler.Scheduled> step) {
    long start = System.nanoTime();
    StepPlan plan = StepPlans.of(step);
    forward.forward(plan, logits);
    scheduler.computed(step);
    steps++;
    sequences += step.size();
    int row = 0;
    List<Sequence> finished = new ArrayList<>();
    for (Scheduler.Scheduled scheduled : step) {
      Sequence sequence = scheduled.sequence();
      if (sequence.firstScheduledNanos == 0) {
        sequence.firstScheduledNanos = start;
      }
      if (sequence.computed == sequence.length()) {
        promptTokens += scheduled.tokens() - (sequence.generated() > 0 ? 1 : 0);
        sample(sequence, row++);
        if (sequence.finishReason != null) {
          scheduler.remove(sequence);
          finished.add(sequence);
        }
      } else {
        promptTokens += scheduled.tokens();
      }
    }
    publishStats(); // before those who then hear of a completion look at them
    finished.forEach(this::finish);
  }

  private void sample(Sequence sequence, int row) {
    int vocab = forward.vocabSize();
    int at = row * vocab;
    SamplingParams params = sequence.params;
    int position = sequence.generated();
    int token =
        LogitsAdjuster.concerns(sequence)
            ? Sampler.sample(adjuster.adjust(logits, at, sequence), 0, vocab, params, position)
            : Sampler.sample(logits, at, vocab, params, position);
    if (Float.isNaN(logits[at + token])) {
      throw new IllegalStateException(
          "The logits of request %s are NaN; the weights of model %s are broken"
              .formatted(sequence.request.getId(), model.name()));
    }
    sequence.append(
        token,
        params.returnsLogprobs()
            ? TokenLogprobs.of(logits, at, vocab, token, params.logprobs())
            : TokenLogprobs.NONE);
    generatedTokens++;
    if (sequence.firstTokenNanos == 0) {
      sequence.firstTokenNanos = System.nanoTime();
    }
    sequence.finishReason = finishReason(sequence);
    if (sequence.finishReason == null && !sequence.cancelled()) {
      sequence.listener.onToken(token, sequence.text.stream(false));
    }
  }

  private FinishReason finishReason(Sequence sequence) {
    if (sequence.stopped(eosTokenIds)) {
      return FinishReason.STOP;
    }
    boolean full =
        sequence.generated() >= sequence.params.maxTokens()
            || sequence.length() >= model.maxModelLen();
    return full ? FinishReason.LENGTH : null;
  }

  private void finishOverdue() {
    long now = clock.millis();
    List<Sequence> overdue = new ArrayList<>();
    Consumer<Sequence> look =
        sequence -> {
          Long deadline = sequence.request.getDeadline();
          if (deadline != null && deadline <= now) {
            overdue.add(sequence);
          }
        };
    scheduler.running().forEach(look);
    scheduler.waiting().forEach(look);
    for (Sequence sequence : overdue) {
      sequence.finishReason = FinishReason.DEADLINE;
      scheduler.remove(sequence);
      finish(sequence);
    }
  }

  private void finish(Sequence sequence) {
    sequence.text.finish();
    if (sequence.cancelled()) {
      return;
    }
    if (sequence.generated() > 0) {
      int last = sequence.token(sequence.length() - 1);
      sequence.listener.onToken(last, sequence.text.stream(true));
    }
    Completion completion = Completions.of(sequence, model, System.nanoTime());
    sequence.listener.onCompletion(completion);
  }

  private void fail(Throwable cause) {
    failure =
        new EngineException(
            "The engine for model %s on %s failed: %s"
                .formatted(model.name(), model.device(), cause),
            cause);
    takeIn();
    List<Sequence> all = new ArrayList<>(scheduler.running());
    all.addAll(scheduler.waiting());
    for (Sequence sequence : all) {
      sequence.listener.onFailure(failure);
    }
  }

  private void closeDevice() {
    closed = true;
    forward.close();
    try {
      files.close();
    } catch (Exception e) {
      throw new IllegalStateException("The model's files cannot be closed: " + e, e);
    }
  }

  private void publishStats() {
    stats =
        new EngineStats(
            steps,
            sequences,
            promptTokens,
            generatedTokens,
            scheduler.prefixCacheHits(),
            scheduler.preemptions(),
            scheduler.running().size(),
            scheduler.waiting().size() + inbox.size(),
            pool.used(),
            pool.total());
  }
}
