package dev.flinfer.flink;

import dev.flinfer.engine.RequestFailedException;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.StructuredOutputs;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * Names what a request makes the process do, notes it in the journal while it is done, and refuses
 * what has ended the process too often. Belongs to the task thread.
 */
final class PoisonPills {
  private static final int MAX_JOB_NAME = 100;

  private final AdmissionJournal journal;
  private final int maxAttempts;
  private final String job;

  /** Records that were refused since the last checkpoint, and those of pending checkpoints. */
  private List<String> refused = new ArrayList<>();

  private final TreeMap<Long, List<String>> ofCheckpoints = new TreeMap<>();

  /**
   * @param maxAttempts times that the process may end
   * @param job the job's name; another job may be able to admit the same record
   */
  PoisonPills(AdmissionJournal journal, int maxAttempts, String job) {
    this.journal = journal;
    this.maxAttempts = maxAttempts;
    this.job = job.substring(0, Math.min(job.length(), MAX_JOB_NAME));
  }

  /**
   * The name of a record's admission: the same after each restart, and another for another record
   * in the same place of a new topic.
   */
  String admission(SourceRecord record) {
    CRC32C content = new CRC32C();
    content.update(record.getValue().duplicate());
    return "admission of "
        + (record.getTopic() + "-" + record.getPartition() + "@" + record.getOffset())
        + (" (" + Long.toHexString(content.getValue()) + ") in job " + job);
  }

  /** The name of the compilation of a request's pattern; null without one. */
  private static String compilation(CompletionRequest request) {
    StructuredOutputs outputs = request.getStructuredOutputs();
    return outputs == null
        ? null
        : "compilation of structured_outputs "
            + AttemptFiles.hash(outputs.getRegex() + "\n" + outputs.getJson());
  }

  /**
   * Notes that a record is admitted.
   *
   * @throws RequestFailedException if that has ended the process too often
   */
  AdmissionJournal.Entry begin(SourceRecord record) {
    if (journal == AdmissionJournal.NONE) {
      return AdmissionJournal.Entry.NONE;
    }
    String name = admission(record);
    try {
      require(name, "Send it to another job, or give the process more memory");
    } catch (RequestFailedException e) {
      refused.add(name); // remembered until the rejection is in a checkpoint
      throw e;
    }
    return journal.begin(name);
  }

  /**
   * Refuses a request with a pattern.
   *
   * @throws RequestFailedException if compiling it has ended the process too often
   */
  void requireHarmlessPattern(CompletionRequest request) {
    String name = compilation(request);
    if (name != null) {
      require(name, "Use a simpler pattern");
    }
  }

  /** Notes the compilation of the request's pattern; its methods are called by other threads. */
  CompilationWatch watch(CompletionRequest request) {
    String name = journal == AdmissionJournal.NONE ? null : compilation(request);
    return name == null ? CompilationWatch.NONE : new CompilationWatch(() -> journal.begin(name));
  }

  private void require(String name, String wayOut) {
    int attempts = journal.attempts(name);
    if (attempts >= maxAttempts) {
      throw new RequestFailedException(
          ("The process ended %d times during the %s, which is not tried again. %s. To have it tried"
                  + " again, delete %s.* in %s and send the request again")
              .formatted(attempts, name, wayOut, AttemptFiles.hash(name), journal.directory()),
          attempts,
          null);
    }
  }

  /** The refusals so far are in the checkpoint. */
  void snapshot(long checkpoint) {
    if (!refused.isEmpty()) {
      ofCheckpoints.put(checkpoint, refused);
      refused = new ArrayList<>();
    }
  }

  /** The checkpoint is complete: the records that it refused do not come again. */
  void completed(long checkpoint) {
    Map<Long, List<String>> done = ofCheckpoints.headMap(checkpoint, true);
    done.values().forEach(names -> names.forEach(journal::forget));
    done.clear();
  }
}
