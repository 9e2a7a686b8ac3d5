package dev.flinfer.flink;

import dev.flinfer.engine.EngineOption;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.InvalidOptionException;
import dev.flinfer.schema.WireFormat;
import java.io.Serializable;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.runtime.taskmanager.TaskManagerRuntimeInfo;

/**
 * What the operator was told, checked.
 *
 * @param maxAttempts failures of a request alone after which it is rejected, at least 1
 * @param deduplicateTtl how long an id is remembered; zero for not at all
 * @param admissionJournal the directory of the admission journal, {@value #NO_JOURNAL} for none;
 *     null for one in the TaskManager's temporary directory
 */
record OperatorOptions(
    EngineOptions engine,
    Admission.Limits admission,
    int maxAttempts,
    Duration throughputInterval,
    WireFormat inputFormat,
    Duration deduplicateTtl,
    String admissionJournal)
    implements Serializable {

  static final String NO_JOURNAL = "none";

  static OperatorOptions from(ReadableConfig config) {
    return from(FlinferOptions.engineOptions(config), config);
  }

  /**
   * @param config options of the operator
   * @throws InvalidOptionException if an option is out of its range, or one of the engine's is set
   *     a second time
   */
  static OperatorOptions with(EngineOptions engine, ReadableConfig config) {
    for (EngineOption<?> option : EngineOption.all()) {
      if (config.getOptional(FlinferOptions.of(option)).isPresent()) {
        throw new InvalidOptionException(
            ("%s is set, and the engine's options are also given as EngineOptions; set it only"
                    + " there")
                .formatted(FlinferOptions.NAMES.of(option)));
      }
    }
    return from(engine, config);
  }

  private static OperatorOptions from(EngineOptions engine, ReadableConfig config) {
    int maxInFlight = config.get(FlinferOptions.MAX_IN_FLIGHT);
    require(
        maxInFlight >= 0,
        FlinferOptions.MAX_IN_FLIGHT,
        maxInFlight,
        "at least 1, or 0 for twice " + FlinferOptions.NAMES.of(EngineOption.MAX_NUM_SEQS));
    long maxTokens = config.get(FlinferOptions.MAX_IN_FLIGHT_TOKENS);
    require(
        maxTokens >= 0,
        FlinferOptions.MAX_IN_FLIGHT_TOKENS,
        maxTokens,
        "at least 1, or 0 for what two KV caches hold");
    int maxAttempts = config.get(FlinferOptions.MAX_ATTEMPTS);
    require(maxAttempts >= 1, FlinferOptions.MAX_ATTEMPTS, maxAttempts, "at least 1");
    Duration interval = config.get(FlinferOptions.THROUGHPUT_INTERVAL);
    require(
        interval.toMillis() >= 1,
        FlinferOptions.THROUGHPUT_INTERVAL,
        interval.toNanos() + " ns",
        "at least 1 ms");
    Duration ttl = config.get(FlinferOptions.DEDUPLICATE_TTL);
    require(
        ttl.isZero() || ttl.toMillis() >= 1,
        FlinferOptions.DEDUPLICATE_TTL,
        ttl.toNanos() + " ns",
        "at least 1 ms, or 0 to answer all");
    long twice = 2L * engine.get(EngineOption.MAX_NUM_SEQS);
    int requests = maxInFlight > 0 ? maxInFlight : (int) Math.min(Integer.MAX_VALUE, twice);
    return new OperatorOptions(
        engine,
        new Admission.Limits(requests, maxTokens),
        maxAttempts,
        interval,
        config.get(FlinferOptions.INPUT_FORMAT),
        ttl,
        config.get(FlinferOptions.ADMISSION_JOURNAL_DIR));
  }

  /** What finds poison pills in the journal of this process, for the job of that name. */
  PoisonPills poisonPills(TaskManagerRuntimeInfo taskManager, String job) {
    return new PoisonPills(journal(taskManager), maxAttempts, job);
  }

  private AdmissionJournal journal(TaskManagerRuntimeInfo taskManager) {
    if (NO_JOURNAL.equals(admissionJournal)) {
      return AdmissionJournal.NONE;
    }
    String user = ProcessHandle.current().info().user().orElse("user");
    return AdmissionJournal.in(
        admissionJournal != null
            ? Path.of(admissionJournal)
            : Path.of(taskManager.getTmpDirectories()[0], "flinfer-admission-" + user));
  }

  private static void require(boolean holds, ConfigOption<?> option, Object value, String limit) {
    if (!holds) {
      throw new InvalidOptionException(
          "%s is %s; it must be %s".formatted(option.key(), value, limit));
    }
  }
}
