package dev.flinfer.flink;

import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.InFlightRequest;
import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.RejectionStage;
import dev.flinfer.schema.SourceRecord;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * A record that has come in and has not gone out. Belongs to the task thread. Its outcome is one of
 * completion and rejection, both null until it is finished.
 */
final class InFlight {
  final SourceRecord record;
  private final Long timestamp;
  private final GeneratedTokens resumeFrom;
  private final int attempts;
  private Generation generation;
  private Completion completion;
  private Rejection rejection;

  private InFlight(SourceRecord record, Long timestamp, GeneratedTokens resumeFrom, int attempts) {
    this.record = record;
    this.timestamp = timestamp;
    this.resumeFrom = resumeFrom;
    this.attempts = attempts;
  }

  /**
   * @param timestamp of the stream's element, null where it has none
   */
  static InFlight arrived(SourceRecord record, Long timestamp) {
    return new InFlight(record, timestamp, GeneratedTokens.NONE, 0);
  }

  static InFlight restored(InFlightRequest state) {
    // The state has no event time of its own; the source takes the record's, so this is the same.
    return new InFlight(
        state.getRecord(),
        state.getRecord().getTimestamp(),
        GeneratedTokens.of(state),
        state.getAttempts());
  }

  /** What a checkpoint keeps of it: the tokens so far, taken without waiting for the device. */
  InFlightRequest state() {
    GeneratedTokens tokens = resumeFrom;
    if (completion != null) {
      tokens = GeneratedTokens.of(completion);
    } else if (generation != null) {
      tokens = generation.progress();
    }
    InFlightRequest state = new InFlightRequest();
    state.setRecord(record);
    state.setAttempts(attempts);
    tokens.writeTo(state);
    return state;
  }

  GeneratedTokens resumeFrom() {
    return resumeFrom;
  }

  void submitted(Generation generation) {
    this.generation = generation;
  }

  void cancel() {
    if (generation != null) {
      generation.cancel();
    }
  }

  boolean isFinished() {
    return completion != null || rejection != null;
  }

  void complete(Completion outcome) {
    if (isFinished()) {
      throw new IllegalStateException(
          "the engine completed request %s twice; a request has one completion"
              .formatted(outcome.getId()));
    }
    completion = outcome;
    generation = null;
  }

  /**
   * @param id of the request, null where it is not known
   */
  void reject(RejectionStage stage, RuntimeException why, String id) {
    String message = why.getMessage() == null ? "" : why.getMessage();
    rejection = new Rejection(stage, why.getClass().getName(), message, id, record);
  }

  /** Null unless it was completed. */
  Completion completion() {
    return completion;
  }

  /** Null unless it was rejected. */
  Rejection rejection() {
    return rejection;
  }

  /** An element of an output, with the timestamp of the element that came in. */
  <T> StreamRecord<T> element(T value) {
    return timestamp == null ? new StreamRecord<>(value) : new StreamRecord<>(value, timestamp);
  }
}
