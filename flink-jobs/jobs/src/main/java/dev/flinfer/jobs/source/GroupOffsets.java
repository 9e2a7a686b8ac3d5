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

/** Commits offsets to a consumer group; a commit that fails does not fail the job. */
final class GroupOffsets implements Consumer<Map<TopicPartition, Long>> {
  private static final Logger LOG = LoggerFactory.getLogger(GroupOffsets.class);

  /** An unreachable broker must not delay the restart of a failed task. */
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final Properties clientConfig;
  private final String groupId;

  GroupOffsets(Properties clientConfig, String groupId) {
    this.clientConfig = clientConfig;
    this.groupId = groupId;
  }

  @Override
  public void accept(Map<TopicPartition, Long> offsets) {
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
          "The offsets {} could not be committed to group {}; a job that starts without a"
              + " checkpoint reads again from those committed before",
          offsets,
          groupId,
          e);
    }
  }
}
