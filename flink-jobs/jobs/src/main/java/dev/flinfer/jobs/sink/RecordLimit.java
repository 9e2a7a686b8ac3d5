package dev.flinfer.jobs.sink;

import java.util.List;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.utils.Utils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The maximum size of a record in a topic: a record that the broker refuses would fail the job, and
 * again after every restart. The limit is read from the broker when a sink opens, so a raised limit
 * takes effect at the next restart.
 *
 * @param bytes maximum size of an uncompressed batch with this one record
 */
public record RecordLimit(String topic, int bytes) {
  private static final Logger LOG = LoggerFactory.getLogger(RecordLimit.class);

  /** Default of a broker's message.max.bytes. */
  private static final int DEFAULT = 1_048_588;

  /** Size of a record that gives only the position of the one that did not fit. */
  static final int MIN_BYTES = 16 << 10;

  private static final int BATCH_OVERHEAD = 61; // of a batch of Kafka's format 2
  private static final int RECORD_OVERHEAD = 21; // length, attributes, timestamp and offset deltas
  private static final int LENGTH = 5; // a length as a varint, at most
  private static final int TIMEOUT_MS = 10_000;

  public RecordLimit {
    if (bytes < MIN_BYTES) {
      throw new IllegalArgumentException(
          "%s of topic %s is %d; it must be at least %d, so that a record that is too large can be"
                  .formatted(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, topic, bytes, MIN_BYTES)
              + " reported. Raise it");
    }
  }

  /**
   * @param producer properties of the topic's producers
   */
  public static RecordLimit of(String topic, Properties producer) {
    int request = Integer.parseInt(producer.get(ProducerConfig.MAX_REQUEST_SIZE_CONFIG).toString());
    return new RecordLimit(topic, Math.min(request, maxMessageBytes(topic, producer)));
  }

  private static int maxMessageBytes(String topic, Properties client) {
    Properties properties = new Properties();
    properties.putAll(client);
    properties.putIfAbsent(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
    properties.putIfAbsent(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    try (Admin admin = Admin.create(properties)) {
      ConfigEntry entry =
          admin
              .describeConfigs(List.of(resource))
              .values()
              .get(resource)
              .get(2 * TIMEOUT_MS, TimeUnit.MILLISECONDS)
              .get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG);
      return entry == null || entry.value() == null ? DEFAULT : Integer.parseInt(entry.value());
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn(
          "{} of topic {} cannot be read; {} is assumed, and larger records are shortened",
          TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
          topic,
          DEFAULT,
          e);
      return DEFAULT;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while waiting for the broker", e);
    }
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
