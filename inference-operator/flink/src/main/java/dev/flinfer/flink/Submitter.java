package dev.flinfer.flink;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.RequestFailedException;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.RejectionStage;
import dev.flinfer.schema.WireFormatException;

/**
 * Reads the requests in records and submits them to the engine. Notes each in the journal while it
 * does. Belongs to the task thread.
 */
final class Submitter {

  /** Why a request is rejected before it is in the engine; the id is null if unknown. */
  record Refusal(RejectionStage stage, RuntimeException why, String id) {}

  private final RequestReader reader;
  private final EngineResults results;
  private final LlmEngine engine;
  private final PoisonPills pills;

  Submitter(RequestReader reader, EngineResults results, LlmEngine engine, PoisonPills pills) {
    this.reader = reader;
    this.results = results;
    this.engine = engine;
    this.pills = pills;
  }

  /**
   * Submits a request; returns null unless it is refused.
   *
   * @throws EngineException if the engine failed
   */
  Refusal submit(InFlight request) {
    AdmissionJournal.Entry entry;
    try {
      entry = pills.begin(request.record);
    } catch (RequestFailedException e) {
      return new Refusal(RejectionStage.DESERIALIZE, e, null);
    }
    Refusal refusal;
    try {
      refusal = admit(request);
    } catch (EngineException e) {
      entry.cancelled();
      throw e;
    } catch (Error e) { // such as a missing class; the task fails, which counts as an attempt
      entry.failed();
      throw e;
    }
    entry.succeeded();
    return refusal;
  }

  /** An exception that nothing declares is a defect, which would occur again after a restart. */
  private Refusal admit(InFlight request) {
    CompletionRequest parsed;
    try {
      parsed = reader.read(request.record);
    } catch (WireFormatException e) {
      return new Refusal(RejectionStage.DESERIALIZE, e, e.recordId());
    } catch (InvalidRequestException e) {
      return new Refusal(RejectionStage.VALIDATE, e, null);
    } catch (RuntimeException e) {
      return new Refusal(RejectionStage.DESERIALIZE, e, null);
    }
    try {
      pills.requireHarmlessPattern(parsed);
      GenerationListener listener = results.listener(request, pills.watch(parsed));
      Generation generation = engine.submit(parsed, request.resumeFrom(), listener);
      request.submitted(parsed.getId(), generation, engine.model().digest());
      return null;
    } catch (EngineException e) {
      throw e;
    } catch (RuntimeException e) { // usually an InvalidRequestException
      return new Refusal(RejectionStage.VALIDATE, e, parsed.getId());
    }
  }
}
