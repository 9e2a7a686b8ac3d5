package dev.flinfer.engine.batching;

import static dev.flinfer.engine.EngineOption.ENABLE_PREFIX_CACHING;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.EngineStats;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.RequestErrors;
import dev.flinfer.engine.blocks.BlockPool;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.HeapArrays;
import dev.flinfer.engine.device.StepLimits;
import dev.flinfer.engine.device.TopLogits;
import dev.flinfer.engine.sampling.CompletionText;
import dev.flinfer.engine.sampling.Constraints;
import dev.flinfer.engine.weights.Checkpoint;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.util.ArrayList;
import java.util.List;

/**
 * The engine's loop: process the submitted requests, schedule, run the forward pass, sample,
 * repeat. One thread runs the loop and owns the device; callers reach it through a queue and never
 * wait.
 */
final class BatchingEngine implements LlmEngine {
  private final ForwardPass forward;
  private final Checkpoint files;
  private final ServedModel model;
  private final EngineClock clock;
  private final BlockPool pool;
  private final Scheduler scheduler;
  private final StepSampler sampler;
  private final DeviceFaults faults;
  private final SequenceStarter starter;
  private final Constraints constraints;
  private final EngineCounters counters = new EngineCounters();
  private final StepLayout layout = new StepLayout();
  private final StepOutcome outcome = new StepOutcome();
  private final float[] logits; // (rows of logits, vocab_size)
  private final TopLogits top; // (rows of logits)

  private final OwnerThread owner = new OwnerThread(this::run);
  private volatile boolean closed;
  private volatile EngineException failure;
  private volatile EngineStats stats;

  /** Takes ownership of the forward pass and the files: both are closed with the engine. */
  BatchingEngine(
      ForwardPass forward,
      Checkpoint files,
      ServedModel model,
      EngineOptions options,
      EngineClock clock) {
    this.forward = forward;
    this.files = files;
    this.model = model;
    this.clock = clock;
    this.pool = new BlockPool(forward.numKvBlocks());
    this.constraints = new Constraints(model.tokenizer(), forward.vocabSize());
    StepLimits limits = StepLimits.of(options);
    this.scheduler = new Scheduler(limits, options.get(ENABLE_PREFIX_CACHING), pool);
    this.logits =
        HeapArrays.floats(
            limits.logitsOption(options.names()), limits.maxNumLogits(), forward.vocabSize());
    this.top = new TopLogits(limits.maxNumLogits());
    this.sampler = new StepSampler(logits, top, model, counters, clock);
    this.faults = new DeviceFaults(forward, model.info(), scheduler, pool, counters);
    this.starter = new SequenceStarter(model, scheduler, owner, faults, this::complete);
    publishStats();
    owner.start();
  }

  @Override
  public Generation submit(
      CompletionRequest request, GeneratedTokens resumeFrom, GenerationListener listener) {
    requireAlive();
    CheckedRequest checked = CheckedRequest.confined(request, model, constraints, listener);
    Generation generation;
    if (checked.params().n() == 1) {
      Sequence sequence = sequence(checked, listener);
      generation = sequence;
      owner.send(() -> starter.start(sequence, resumeFrom));
    } else {
      SequenceGroup group =
          new SequenceGroup(checked, listener, resumeFrom, this::sequence, starter::start);
      generation = group;
      owner.send(group::start);
    }
    // A request that was sent before the failure was set is notified of it; a later one fails here.
    requireAlive();
    return generation;
  }

  private Sequence sequence(CheckedRequest checked, GenerationListener listener) {
    CompletionText text = new CompletionText(model.tokenizer().decoder(), checked.params().stops());
    return new Sequence(checked, text, listener, clock.nanoTime(), this::cancel);
  }

  @Override
  public ModelInfo model() {
    return model.info();
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
    return new EngineException("The engine for model %s is closed".formatted(model.info().name()));
  }

  private void cancel(Sequence sequence) {
    owner.send(() -> drop(sequence, SequenceStatus.FINISHED_ABORTED));
  }

  private void run() {
    try {
      while (!closed) {
        owner.runMessages();
        finishOverdue();
        List<Scheduled> step = scheduler.schedule();
        if (step.isEmpty()) {
          publishStats();
          if (!closed) {
            sleep();
          }
        } else {
          compute(step);
        }
      }
      EngineException reason = closedException();
      unfinished().forEach(sequence -> sequence.listener().onClose(reason));
    } catch (RuntimeException | Error e) {
      fail(e);
    } finally {
      closeDevice();
    }
  }

  /** Until there is a message, or a request that cannot start yet reaches its deadline. */
  private void sleep() {
    long deadline = scheduler.earliestDeadline();
    owner.sleep(deadline == Long.MAX_VALUE ? deadline : Math.max(1, deadline - clock.millis()));
  }

  private void compute(List<Scheduled> step) {
    long start = clock.nanoTime();
    try {
      sampler.want(step);
      forward.forward(layout.of(step), logits, top);
    } catch (RuntimeException | Error e) { // nothing that the step left is used again
      faults.stepFailed(step, e);
      publishStats();
      return;
    }
    scheduler.computed(step);
    counters.step(step);
    int row = 0;
    for (Scheduled scheduled : step) {
      Sequence sequence = scheduled.sequence().root();
      sequence.timings().scheduled(start);
      try {
        if (!sampler.take(scheduled, row)) {
          outcome.nanLogits(sequence);
        }
      } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
        // An error in sampling one request must not end all other requests.
        RequestErrors.requireOfRequest(e);
        outcome.failed(sequence, e);
      }
      row += scheduled.logits();
    }
    finishStep(step);
  }

  private void finishStep(List<Scheduled> step) {
    for (Scheduled scheduled : step) {
      Sequence sequence = scheduled.sequence().root();
      if (!outcome.sound(sequence)) {
        continue;
      }
      if (sequence.allLabelsScored()) {
        sequence.status(SequenceStatus.FINISHED_CHOICE);
      }
      if (sequence.status().finished()) {
        outcome.finished(sequence);
        scheduler.remove(sequence);
      } else if (scheduled.logits() > 0 && sequence.choices() == null) {
        scheduler.cleared(sequence);
      }
    }
    publishStats(); // before listeners are called, which may read them
    outcome.forEachFinished(this::complete);
    outcome.forEachFailed(faults::samplingFailed);
    faults.nanLogits(outcome.nanLogits());
    outcome.clear();
  }

  private void finishOverdue() {
    long now = clock.millis();
    for (Sequence late = scheduler.overdue(now); late != null; late = scheduler.overdue(now)) {
      drop(late, SequenceStatus.FINISHED_DEADLINE);
      complete(late);
    }
  }

  /** Takes a sequence out of the scheduler, unless it is finished already. */
  private void drop(Sequence sequence, SequenceStatus status) {
    if (!sequence.status().finished()) {
      sequence.status(status);
      scheduler.remove(sequence);
    }
  }

  /** Hands the completion of a finished sequence to its listener. */
  private void complete(Sequence sequence) {
    if (sequence.cancelled()) {
      return;
    }
    Completion completion = faults.confine(sequence, "Completing", () -> completionOf(sequence));
    if (completion != null) {
      sequence.listener().onCompletion(completion);
    }
  }

  private Completion completionOf(Sequence sequence) {
    sequence.text().finish();
    GenerationListener listener = sequence.listener();
    if (sequence.generated() > 0 && listener.streams()) {
      int last = sequence.tokens().get(sequence.length() - 1);
      listener.onToken(last, sequence.text().stream(true));
    }
    return Completions.of(sequence, model.info(), clock.nanoTime());
  }

  private void fail(Throwable cause) {
    failure =
        new EngineException(
            "The engine for model %s on %s failed: %s"
                .formatted(model.info().name(), model.info().device(), cause),
            cause);
    for (Sequence sequence : unfinished()) {
      try {
        sequence.listener().onFailure(failure);
      } catch (RuntimeException | Error e) { // the others must be notified as well
        failure.addSuppressed(e);
      }
    }
  }

  private List<Sequence> unfinished() {
    owner.runMessages();
    List<Sequence> all = new ArrayList<>(scheduler.running());
    all.addAll(scheduler.waiting());
    all.addAll(scheduler.held());
    return all;
  }

  private void closeDevice() {
    closed = true;
    constraints.close();
    forward.close();
    files.close();
  }

  private void publishStats() {
    stats = counters.stats(scheduler, pool, owner.pending());
  }
}
