package dev.flinfer.flink;

import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.RequestFailedException;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.InFlightRequest;
import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.RejectionStage;
import dev.flinfer.schema.SourceRecord;
import java.util.Collection;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A record that was read and whose outcome has not been sent. Belongs to the task thread. The
 * outcome is either a completion or a rejection; both are null until the request is finished.
 */
final class InFlight {
  private static final Logger LOG = LoggerFactory.getLogger(InFlight.class);

  /** Version of the state's format; version 0 had no event time, version 1 no model. */
  private static final int VERSION = 2;

  final SourceRecord record;
  private final Long timestamp;
  private GeneratedTokens resumeFrom;
  private String modelDigest; // of the model that generated the tokens, null if unknown
  private int tokens;
  private String id; // null until it is submitted
  private Generation generation;
  private Completion completion;
  private Rejection rejection;

  private InFlight(
      SourceRecord record, Long timestamp, GeneratedTokens resumeFrom, String modelDigest) {
    this.record = record;
    this.timestamp = timestamp;
    this.resumeFrom = resumeFrom;
    this.modelDigest = modelDigest;
  }

  /**
   * @param timestamp of the stream's element, null if it has none
   */
  static InFlight arrived(SourceRecord record, Long timestamp) {
    return new InFlight(record, timestamp, GeneratedTokens.NONE, null);
  }

  static InFlight restored(InFlightRequest state) {
    Long timestamp =
        state.getVersion() == 0 ? state.getRecord().getTimestamp() : state.getEventTime();
    return new InFlight(
        state.getRecord(), timestamp, GeneratedTokens.of(state), state.getModelDigest());
  }

  /**
   * Discards the tokens of restored requests that another model generated, so that no completion
   * mixes two models. State of an older version does not name the model; its tokens are kept.
   */
  static void discardTokensOfOtherModels(ModelInfo model, Collection<InFlight> restored) {
    long discarded = restored.stream().filter(r -> r.discardTokensUnlessOf(model.digest())).count();
    if (discarded > 0) {
      LOG.warn(
          "{} of {} restored requests were started by another model than {} ({}) and start again"
              + " from their prompts. To finish them with their own model, restore with that model",
          discarded,
          restored.size(),
          model.name(),
          model.digest());
    }
  }

  private boolean discardTokensUnlessOf(String digest) {
    if (modelDigest == null || modelDigest.equals(digest)) {
      return false;
    }
    boolean begun = resumeFrom.count() > 0;
    resumeFrom = GeneratedTokens.NONE;
    modelDigest = null;
    return begun;
  }

  /** The state for a checkpoint, with the tokens so far; does not wait for the device. */
  InFlightRequest state() {
    GeneratedTokens soFar = resumeFrom;
    if (completion != null) {
      soFar = GeneratedTokens.of(completion);
    } else if (generation != null) {
      soFar = generation.progress();
    }
    InFlightRequest state = new InFlightRequest();
    state.setRecord(record);
    state.setVersion(VERSION);
    state.setEventTime(timestamp);
    state.setModelDigest(modelDigest);
    soFar.writeTo(state);
    return state;
  }

  GeneratedTokens resumeFrom() {
    return resumeFrom;
  }

  void submitted(String requestId, Generation submitted, String digest) {
    id = requestId;
    generation = submitted;
    modelDigest = digest;
    tokens = submitted.promptTokens() + resumeFrom.count();
  }

  /** The id of the request; null until it is submitted to the engine. */
  String id() {
    return id;
  }

  /** Number of tokens with which it was submitted to the engine; 0 if it was not. */
  int tokens() {
    return tokens;
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
   * @param id of the request, null if unknown
   */
  void reject(RejectionStage stage, RuntimeException why, String id) {
    String message = why.getMessage() == null ? "" : why.getMessage();
    int attempts = why instanceof RequestFailedException failed ? failed.attempts() : 0;
    rejection = new Rejection(stage, why.getClass().getName(), message, id, record, attempts);
  }

  /** Null unless it was completed. */
  Completion completion() {
    return completion;
  }

  /** Null unless it was rejected. */
  Rejection rejection() {
    return rejection;
  }

  /** An element of an output, with the timestamp of the input element. */
  <T> StreamRecord<T> element(T value) {
    return timestamp == null ? new StreamRecord<>(value) : new StreamRecord<>(value, timestamp);
  }
}
