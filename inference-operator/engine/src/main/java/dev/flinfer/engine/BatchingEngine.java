package dev.flinfer.engine;

import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.engine.weights.Checkpoint;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * The engine's loop: take in what was submitted, schedule, forward, sample, again. One thread runs
 * it and owns the device; callers reach it through a queue and are never kept waiting.
 */
final class BatchingEngine implements LlmEngine {
  private final ForwardPass forward;
  private final Checkpoint files;
  private final Tokenizer tokenizer;
  private final Set<Integer> eosTokenIds;
  private final ModelInfo model;
  private final InstantSource clock;
  private final BlockPool pool;
  private final Scheduler scheduler;
  private final StepSampler sampler;
  private final DeviceFaults faults;
  private final Constraints constraints;
  private final EngineCounters counters = new EngineCounters();
  private final StepPlans plans = new StepPlans();
  private final float[] logits; // (rows of logits, vocab_size)
  private final TopLogits top; // (rows of logits)

  /** Of the step that is taken in, else empty. */
  private final Set<Sequence> notNumbers = new LinkedHashSet<>();

  private final Map<Sequence, RuntimeException> broken = new LinkedHashMap<>();
  private final Set<Sequence> finished = new LinkedHashSet<>();

  private final OwnerThread owner = new OwnerThread(this::run);
  private volatile boolean closed;
  private volatile EngineException failure;
  private volatile EngineStats stats;

  BatchingEngine(
      ForwardPass forward,
      Checkpoint files,
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
    this.constraints = new Constraints(tokenizer, forward.vocabSize());
    Scheduler.Limits limits = Scheduler.Limits.of(options);
    this.scheduler = new Scheduler(limits, options.enablePrefixCaching(), pool);
    this.logits =
        HeapArrays.floats(limits.logitsOption(), limits.maxNumLogits(), forward.vocabSize());
    this.top = new TopLogits(limits.maxNumLogits());
    this.sampler = new StepSampler(logits, top, forward.vocabSize(), eosTokenIds, model, counters);
    this.faults = new DeviceFaults(forward, model, scheduler, pool, counters);
    publishStats();
    owner.start();
  }

  @Override
  public Generation submit(
      CompletionRequest request, GeneratedTokens resumeFrom, GenerationListener listener) {
    requireAlive();
    if (request.getId() == null) {
      throw new InvalidRequestException("id is missing; the completion is told by it");
    }
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
      owner.send(() -> take(sequence, resumeFrom));
    } else {
      SequenceGroup group = new SequenceGroup(params, listener, resumeFrom, maker, this::take);
      generation = group;
      owner.send(group::start);
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
    sequence.choices = RequestChoices.of(request, prompt.length, tokenizer, model);
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
    owner.wake();
    owner.join();
  }

  private void requireAlive() {
    if (failure != null) {
      throw failure;
    }
    if (closed) {
      throw closedException();
    }
  }

  private EngineException closedException() {
    return new EngineException("The engine for model %s is closed".formatted(model.name()));
  }

  private void cancel(Sequence sequence) {
    owner.send(() -> scheduler.remove(sequence));
  }

  private void run() {
    try {
      while (!closed) {
        owner.takeIn();
        finishOverdue();
        List<Scheduled> step = scheduler.schedule();
        if (step.isEmpty()) {
          publishStats();
          if (!closed) {
            owner.sleep();
          }
        } else {
          compute(step);
        }
      }
      EngineException reason = closedException();
      unfinished().forEach(sequence -> sequence.listener.onClose(reason));
    } catch (RuntimeException | Error e) {
      fail(e);
    } finally {
      closeDevice();
    }
  }

  /** A new sequence; what it resumes from is replayed, and may be all there is to do. */
  private void take(Sequence sequence, GeneratedTokens resumeFrom) {
    if (sequence.cancelled()) {
      return;
    }
    // What an older version kept may lack log-probabilities, and a choice generates no tokens. From
    // the start it comes out the same.
    boolean known =
        sequence.choices == null && resumeFrom.holds(sequence.params, model.vocabSize());
    int[] tokens = known ? resumeFrom.tokens() : new int[0];
    for (int i = 0; i < tokens.length; i++) {
      sequence.append(tokens[i], resumeFrom.logprobsOf(i));
      sequence.finishReason = sequence.finishReason(eosTokenIds, model.maxModelLen());
      if (sequence.finishReason != null) {
        finish(sequence);
        return;
      }
    }
    sequence.attempts = resumeFrom.attempts();
    sequence.text.stream(false);
    scheduler.add(sequence);
  }

  private void compute(List<Scheduled> step) {
    long start = System.nanoTime();
    try {
      sampler.want(step);
      forward.forward(plans.of(step), logits, top);
    } catch (RuntimeException e) {
      faults.stepFailed(step, e);
      publishStats();
      return;
    }
    scheduler.computed(step);
    counters.step(step);
    int row = 0;
    for (Scheduled scheduled : step) {
      Sequence sequence = scheduled.sequence().root();
      if (sequence.firstScheduledNanos == 0) {
        sequence.firstScheduledNanos = start;
      }
      try {
        if (!sampler.take(scheduled, row)) {
          notNumbers.add(sequence);
        }
      } catch (RuntimeException e) {
        // Host code that fails on one request must not end those of all others.
        broken.put(sequence, e);
      }
      row += scheduled.logits();
    }
    finishStep(step);
    broken.forEach(faults::broken);
    broken.clear();
    faults.notNumbers(notNumbers);
    notNumbers.clear();
  }

  private void finishStep(List<Scheduled> step) {
    for (Scheduled scheduled : step) {
      Sequence sequence = scheduled.sequence().root();
      if (broken.containsKey(sequence) || notNumbers.contains(sequence)) {
        continue;
      }
      if (sequence.chosen()) {
        sequence.finishReason = FinishReason.CHOICE;
      }
      if (sequence.finishReason != null) {
        finished.add(sequence);
        scheduler.remove(sequence);
      } else if (scheduled.logits() > 0 && sequence.choices == null) {
        scheduler.cleared(sequence);
      }
    }
    publishStats(); // before those who then hear of a completion look at them
    if (!finished.isEmpty()) { // mostly it is, and an iterator an object
      finished.forEach(this::finish);
      finished.clear();
    }
  }

  private void finishOverdue() {
    long now = clock.millis();
    for (Sequence late = scheduler.overdue(now); late != null; late = scheduler.overdue(now)) {
      late.finishReason = FinishReason.DEADLINE;
      scheduler.remove(late);
      finish(late);
    }
  }

  private void finish(Sequence sequence) {
    sequence.text.finish();
    if (sequence.cancelled()) {
      return;
    }
    if (sequence.generated() > 0 && sequence.listener.streams()) {
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
    unfinished().forEach(sequence -> sequence.listener.onFailure(failure));
  }

  private List<Sequence> unfinished() {
    owner.takeIn();
    List<Sequence> all = new ArrayList<>(scheduler.running());
    all.addAll(scheduler.waiting());
    return all;
  }

  private void closeDevice() {
    closed = true;
    forward.close();
    files.close();
  }

  private void publishStats() {
    stats = counters.stats(scheduler, pool, owner.pending());
  }
}
