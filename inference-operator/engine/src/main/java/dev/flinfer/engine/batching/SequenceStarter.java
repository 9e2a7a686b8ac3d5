package dev.flinfer.engine.batching;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.sampling.TokenLogprobs;
import dev.flinfer.engine.sampling.TokenMasks;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * Starts sequences: replays the tokens that they resume from, holds them back until their pattern
 * is compiled, and passes them to the scheduler. Used on the engine's thread only.
 */
final class SequenceStarter {
  private final ServedModel model;
  private final Scheduler scheduler;
  private final OwnerThread owner;
  private final DeviceFaults faults;
  private final Consumer<Sequence> completer;

  /** The sequences of each pattern that is being compiled, in the order of their arrival. */
  private final Map<CompletableFuture<TokenMasks>, List<Sequence>> held = new HashMap<>();

  /**
   * @param completer receives a sequence that the replayed tokens complete
   */
  SequenceStarter(
      ServedModel model,
      Scheduler scheduler,
      OwnerThread owner,
      DeviceFaults faults,
      Consumer<Sequence> completer) {
    this.model = model;
    this.scheduler = scheduler;
    this.owner = owner;
    this.faults = faults;
    this.completer = completer;
  }

  /** Starts a sequence after the tokens that it resumes from, which may already complete it. */
  void start(Sequence sequence, GeneratedTokens resumeFrom) {
    if (sequence.cancelled()) {
      return;
    }
    Boolean complete = faults.confine(sequence, "Starting", () -> replay(sequence, resumeFrom));
    if (complete == null) {
      return;
    }
    CompletableFuture<TokenMasks> masks = sequence.masks();
    if (complete) {
      completer.accept(sequence);
    } else if (masks == null) {
      scheduler.add(sequence);
    } else if (masks.isDone()) {
      constrain(sequence);
    } else {
      scheduler.hold(sequence);
      held.computeIfAbsent(masks, this::notified).add(sequence);
    }
  }

  /** Returns whether the tokens complete the sequence. */
  private boolean replay(Sequence sequence, GeneratedTokens resumeFrom) {
    // The state of an older version may lack log-probabilities, and a choice generates no tokens.
    // Starting over gives the same outcome.
    boolean known =
        sequence.choices() == null
            && sequence.params().canResume(resumeFrom, model.info().vocabSize());
    int[] tokens = known ? resumeFrom.tokens() : new int[0];
    for (int i = 0; i < tokens.length; i++) {
      sequence.append(tokens[i], TokenLogprobs.of(resumeFrom, i));
      sequence.status(sequence.statusAfterToken(model));
      if (sequence.status().finished()) {
        return true;
      }
    }
    sequence.attempts(resumeFrom.attempts());
    sequence.text().stream(false);
    return false;
  }

  private List<Sequence> notified(CompletableFuture<TokenMasks> masks) {
    masks.whenComplete((done, failure) -> owner.send(() -> compiled(masks)));
    return new ArrayList<>();
  }

  private void compiled(CompletableFuture<TokenMasks> masks) {
    for (Sequence sequence : held.remove(masks)) {
      if (!sequence.status().finished()) {
        constrain(sequence);
      }
    }
  }

  private void constrain(Sequence sequence) {
    CompletableFuture<TokenMasks> masks = sequence.masks();
    if (masks.isCompletedExceptionally()) {
      scheduler.remove(sequence);
      reject(sequence, masks.exceptionNow());
      return;
    }
    Boolean complete = faults.confine(sequence, "Starting", () -> completes(sequence));
    if (complete == null) {
      return;
    }
    if (complete) {
      scheduler.remove(sequence);
      completer.accept(sequence);
    } else {
      scheduler.add(sequence);
    }
  }

  /** Sets the pattern; returns whether the replayed tokens complete it. */
  private boolean completes(Sequence sequence) {
    sequence.constrain(sequence.masks().resultNow());
    if (sequence.generated() > 0) {
      sequence.status(sequence.statusAfterToken(model));
    }
    return sequence.status().finished();
  }

  private static void reject(Sequence sequence, Throwable why) {
    sequence.status(SequenceStatus.FINISHED_FAILED);
    if (sequence.cancelled()) {
      return;
    }
    if (why instanceof InvalidRequestException invalid) {
      sequence.listener().onInvalid(invalid);
    } else {
      sequence.listener().onFailure((EngineException) why);
    }
  }
}
