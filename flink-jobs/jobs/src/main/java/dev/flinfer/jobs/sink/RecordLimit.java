package dev.flinfer.jobs.sink;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.utils.Utils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the broker accepts in a topic: a record that it refuses would fail the job, and again after
 * every restart. It is read from the broker when a sink opens, so a changed limit takes effect at
 * the next restart.
 *
 * @param bytes maximum size of an uncompressed batch with this one record
 * @param needsKey whether records without a key are refused, as in a compacted topic
 * @param times the timestamps that are accepted
 */
public record RecordLimit(String topic, int bytes, boolean needsKey, TimestampRange times) {
  private static final Logger LOG = LoggerFactory.getLogger(RecordLimit.class);

  /** Default of a broker's message.max.bytes. */
  private static final int DEFAULT = 1_048_588;

  /** Size of a record that gives only the position of the one that did not fit. */
  static final int MIN_BYTES = 16 << 10;

  /** Header of a record whose key the job added. */
  static final String KEY_ADDED = "flinfer.key.added";

  /** Header with the timestamp of the request's record, where its topic does not accept it. */
  static final String TIMESTAMP = "flinfer.timestamp";

  private static final int BATCH_OVERHEAD = 61; // of a batch of Kafka's format 2
  private static final int RECORD_OVERHEAD = 21; // length, attributes, timestamp and offset deltas
  private static final int LENGTH = 5; // a length as a varint, at most
  private static final int TIMEOUT_MS = 10_000;

  RecordLimit(String topic, int bytes) {
    this(topic, bytes, false, TimestampRange.ANY);
  }

  public RecordLimit {
    if (bytes < MIN_BYTES) {
      throw new IllegalArgumentException(
          "%s of topic %s is %d; it must be at least %d, so that a record that is too large can be"
                  .formatted(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, topic, bytes, MIN_BYTES)
              + " reported. Raise it");
    }
  }

  /**
   * Queries the broker; where that fails, assumes Kafka's defaults.
   *
   * @param producer properties of the topic's producers
   */
  public static RecordLimit of(String topic, Properties producer) {
    try {
      return read(topic, producer);
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn(
          "The configuration of topic {} cannot be read ({}); {} of {} is assumed, no compaction and"
              + " no limit of timestamps. Give the job the right to DescribeConfigs",
          topic,
          e.getCause() == null ? "no answer" : e.getCause().getMessage(),
          TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
          DEFAULT);
      return new RecordLimit(topic, Math.min(maxRequestSize(producer), DEFAULT));
    }
  }

  private static int maxRequestSize(Properties producer) {
    return Integer.parseInt(producer.get(ProducerConfig.MAX_REQUEST_SIZE_CONFIG).toString());
  }

  private static RecordLimit read(String topic, Properties producer)
      throws ExecutionException, TimeoutException {
    Properties properties = new Properties();
    properties.putAll(producer);
    properties.putIfAbsent(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
    properties.putIfAbsent(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    Admin admin = Admin.create(properties);
    try {
      Config config =
          admin
              .describeConfigs(List.of(resource))
              .values()
              .get(resource)
              .get(2 * TIMEOUT_MS, TimeUnit.MILLISECONDS);
      return of(topic, maxRequestSize(producer), config);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while waiting for the broker", e);
    } finally {
      admin.close(Duration.ZERO); // otherwise it waits for a broker that does not answer
    }
  }

  static RecordLimit of(String topic, int maxRequestSize, Config config) {
    int bytes =
        value(config, TopicConfig.MAX_MESSAGE_BYTES_CONFIG).map(Integer::parseInt).orElse(DEFAULT);
    boolean compacted =
        value(config, TopicConfig.CLEANUP_POLICY_CONFIG)
            .filter(policy -> policy.contains(TopicConfig.CLEANUP_POLICY_COMPACT))
            .isPresent();
    boolean created =
        value(config, TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG)
            .filter(type -> type.equals(TimestampType.LOG_APPEND_TIME.name))
            .isEmpty();
    TimestampRange times =
        created
            ? new TimestampRange(
                millis(config, TopicConfig.MESSAGE_TIMESTAMP_BEFORE_MAX_MS_CONFIG),
                millis(config, TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS_CONFIG))
            : TimestampRange.ANY;
    return new RecordLimit(topic, Math.min(maxRequestSize, bytes), compacted, times);
  }

  private static long millis(Config config, String name) {
    return value(config, name).map(Long::parseLong).orElse(Long.MAX_VALUE);
  }

  private static Optional<String> value(Config config, String name) {
    return Optional.ofNullable(config.get(name)).map(ConfigEntry::value);
  }

  /**
   * Returns the key to write: that of the record, or the given one where the topic needs a key and
   * the record has none, which a header then states.
   */
  byte[] key(byte[] key, String substitute, Headers headers) {
    if (key != null || !needsKey) {
      return key;
    }
    headers.add(KEY_ADDED, RecordParts.utf8("topic %s is compacted".formatted(topic)));
    return RecordParts.utf8(substitute);
  }

  /**
   * Returns the timestamp to write, null for the time of writing: where the topic does not accept
   * the record's, a header gives it.
   */
  Long timestamp(Long timestamp, Headers headers) {
    if (timestamp == null || times.accepts(timestamp, System.currentTimeMillis())) {
      return timestamp;
    }
    headers.add(TIMESTAMP, RecordParts.utf8(timestamp));
    return null;
  }

  boolean holds(ProducerRecord<byte[], byte[]> record) {
    return size(record) <= bytes;
  }

  /** Returns the maximum size in bytes of a batch that holds only this record. */
  static long size(ProducerRecord<byte[], byte[]> record) {
    long size = BATCH_OVERHEAD + RECORD_OVERHEAD + 2 * LENGTH + LENGTH;
    size += length(record.key()) + length(record.value());
    for (Header header : record.headers()) {
      size += 2 * LENGTH + Utils.utf8Length(header.key()) + length(header.value());
    }
    return size;
  }

  private static int length(byte[] bytes) {
    return bytes == null ? 0 : bytes.length;
  }
}
