package dev.flinfer.jobs.source;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Commits offsets to a consumer group; that they are not committed is no failure of a job. */
final class GroupOffsets implements Consumer<Map<TopicPartition, Long>> {
  private static final Logger LOG = LoggerFactory.getLogger(GroupOffsets.class);

  /** A broker that is away must not keep a failed task from its restart. */
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final Properties clientConfig;
  private final String groupId;

  GroupOffsets(Properties clientConfig, String groupId) {
    this.clientConfig = clientConfig;
    this.groupId = groupId;
  }

  @Override
  public void accept(Map<TopicPartition, Long> offsets) {
    if (Thread.currentThread().isInterrupted()) {
      return; // the task is cancelled: it goes on elsewhere
    }
    Properties properties = new Properties();
    properties.putAll(clientConfig);
    properties.setProperty(ConsumerConfig.GROUP_ID_CONFIG, groupId);
    properties.setProperty(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
    Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
    offsets.forEach((partition, offset) -> positions.put(partition, new OffsetAndMetadata(offset)));
    ByteArrayDeserializer deserializer = new ByteArrayDeserializer();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, deserializer, deserializer)) {
      consumer.commitSync(positions, TIMEOUT);
    } catch (KafkaException e) {
      LOG.warn(
          "The offsets {} are not committed to group {}; a job that is not restored reads again"
              + " from those committed before",
          offsets,
          groupId,
          e);
    }
  }
}
