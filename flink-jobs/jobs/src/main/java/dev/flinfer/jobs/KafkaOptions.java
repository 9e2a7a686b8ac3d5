package dev.flinfer.jobs;

import dev.flinfer.schema.WireFormat;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.connector.base.DeliveryGuarantee;

/** Options of the jobs that read from Kafka and write to it. */
public final class KafkaOptions {
  private KafkaOptions() {}

  /** Where a job starts to read if it is not restored from a checkpoint or savepoint. */
  public enum StartingOffsets {
    /** At the group's committed offsets, or at the beginning of a partition that has none. */
    COMMITTED_OR_EARLIEST,
    /** At the beginning. */
    EARLIEST,
    /** At the end: only records written from now on are read. */
    LATEST;

    /** Returns the spelling used in configurations. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  public static final ConfigOption<String> BOOTSTRAP_SERVERS =
      ConfigOptions.key("flinfer.kafka.bootstrap-servers")
          .stringType()
          .noDefaultValue()
          .withDescription("Brokers to start from: host:port, separated by commas.");

  public static final ConfigOption<String> GROUP_ID =
      ConfigOptions.key("flinfer.kafka.group-id")
          .stringType()
          .defaultValue("flinfer")
          .withDescription(
              "Consumer group under which the job's progress is shown. Offsets are committed to it"
                  + " with each checkpoint; a restored job continues from the checkpoint, not from"
                  + " them.");

  public static final ConfigOption<String> INPUT_TOPIC =
      ConfigOptions.key("flinfer.input.topic")
          .stringType()
          .defaultValue("prompts")
          .withDescription("Topic the requests are read from.");

  public static final ConfigOption<String> OUTPUT_TOPIC =
      ConfigOptions.key("flinfer.output.topic")
          .stringType()
          .defaultValue("completions")
          .withDescription("Topic the completions are written to, with the request's key.");

  public static final ConfigOption<String> DLQ_TOPIC =
      ConfigOptions.key("flinfer.dlq.topic")
          .stringType()
          .defaultValue("prompts-dlq")
          .withDescription(
              "Topic the rejected records are written to, unchanged, with the reason in additional"
                  + " headers.");

  public static final ConfigOption<String> METRICS_TOPIC =
      ConfigOptions.key("flinfer.metrics.topic")
          .stringType()
          .defaultValue("throughput")
          .withDescription("Topic the throughput records are written to.");

  public static final ConfigOption<WireFormat> OUTPUT_FORMAT =
      ConfigOptions.key("flinfer.output.format")
          .enumType(WireFormat.class)
          .defaultValue(WireFormat.JSON)
          .withDescription("How completions and throughput records are written: json or avro.");

  public static final ConfigOption<Boolean> KEEP_TIMESTAMPS =
      ConfigOptions.key("flinfer.output.keep-timestamps")
          .booleanType()
          .defaultValue(false)
          .withDescription(
              "true: completions and records in the dead letter queue carry the timestamp of the"
                  + " request's record. The broker's retention counts from there, so the answer to"
                  + " an old request may be deleted as soon as it is written. false: they carry the"
                  + " time at which they are written.");

  public static final ConfigOption<Boolean> BOUNDED =
      ConfigOptions.key("flinfer.bounded")
          .booleanType()
          .defaultValue(false)
          .withDescription(
              "true: the job ends when it has answered the records that were in the input topic at"
                  + " its start. false: it runs until it is canceled.");

  public static final ConfigOption<StartingOffsets> STARTING_OFFSETS =
      ConfigOptions.key("flinfer.kafka.starting-offsets")
          .enumType(StartingOffsets.class)
          .defaultValue(StartingOffsets.COMMITTED_OR_EARLIEST)
          .withDescription(
              "Where a job starts if it is not restored: committed-or-earliest (at the group's"
                  + " committed offsets, or at the beginning if there are none), earliest or"
                  + " latest.");

  public static final ConfigOption<DeliveryGuarantee> DELIVERY_GUARANTEE =
      ConfigOptions.key("flinfer.delivery-guarantee")
          .enumType(DeliveryGuarantee.class)
          .defaultValue(DeliveryGuarantee.EXACTLY_ONCE)
          .withDescription(
              "exactly-once: output is written in transactions that commit with the checkpoint, so"
                  + " a consumer with isolation.level=read_committed sees it once, and only after"
                  + " the checkpoint. at-least-once: output is seen at once, and after a failure"
                  + " some of it twice. none, Flink's third value, is refused.");

  public static final ConfigOption<String> TRANSACTIONAL_ID_PREFIX =
      ConfigOptions.key("flinfer.kafka.transactional-id-prefix")
          .stringType()
          .noDefaultValue()
          .withDescription(
              "Start of the transactional ids. Unless set, it is flinfer-GROUP/INPUT/OUTPUT with the"
                  + " group id and the topics of requests and completions. Jobs that run against one"
                  + " broker at the same time need different ones; otherwise they abort each other's"
                  + " transactions.");

  public static final ConfigOption<Duration> TRANSACTION_TIMEOUT =
      ConfigOptions.key("flinfer.kafka.transaction-timeout")
          .durationType()
          .defaultValue(Duration.ofMinutes(15))
          .withDescription(
              "The broker aborts a transaction that is open for longer, and output is lost if its"
                  + " checkpoint was complete by then. So it must be at least"
                  + " execution.checkpointing.interval, execution.checkpointing.timeout, the longest"
                  + " wait of the restart strategy and a minute for a restart together, and at most"
                  + " the broker's transaction.max.timeout.ms.");

  public static final ConfigOption<Boolean> ACCEPT_LOST_TRANSACTIONS =
      ConfigOptions.key("flinfer.kafka.accept-lost-transactions")
          .booleanType()
          .defaultValue(false)
          .withDescription(
              "false: the job fails when the broker has aborted a transaction whose checkpoint is"
                  + " complete, which happens when the job was down for longer than"
                  + " flinfer.kafka.transaction-timeout. true: it continues without that output.");

  public static final ConfigOption<Map<String, String>> PROPERTIES =
      ConfigOptions.key("flinfer.kafka.properties")
          .mapType()
          .defaultValue(Map.of())
          .withDescription(
              "Properties for every Kafka client of the job, such as"
                  + " flinfer.kafka.properties.security.protocol. Those that the job sets itself"
                  + " are refused.");
}
