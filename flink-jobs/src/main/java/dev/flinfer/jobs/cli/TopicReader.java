package dev.flinfer.jobs.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads all partitions of a topic, committed records only, without a consumer group. */
final class TopicReader implements AutoCloseable {
  private final KafkaConsumer<byte[], byte[]> consumer;

  private TopicReader(KafkaConsumer<byte[], byte[]> consumer) {
    this.consumer = consumer;
  }

  /**
   * @throws UserError if there is no such topic
   * @throws org.apache.kafka.common.errors.TimeoutException if no broker answers
   */
  static TopicReader open(KafkaArguments kafka, String topic, boolean fromBeginning)
      throws IOException {
    return open(kafka.properties(), topic, fromBeginning);
  }

  /** As above, with the client's properties. */
  static TopicReader open(Properties properties, String topic, boolean fromBeginning) {
    properties.setProperty(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    properties.setProperty(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    ByteArrayDeserializer deserializer = new ByteArrayDeserializer();
    TopicReader reader =
        new TopicReader(new KafkaConsumer<>(properties, deserializer, deserializer));
    boolean started = false;
    try {
      reader.start(topic, fromBeginning);
      started = true;
    } finally {
      if (!started) {
        reader.close();
      }
    }
    return reader;
  }

  private void start(String topic, boolean fromBeginning) {
    List<PartitionInfo> infos = consumer.partitionsFor(topic);
    if (infos == null || infos.isEmpty()) {
      throw new UserError(
          "topic %s does not exist; the broker has %s"
              .formatted(topic, consumer.listTopics().keySet()));
    }
    List<TopicPartition> partitions =
        infos.stream().map(info -> new TopicPartition(topic, info.partition())).toList();
    consumer.assign(partitions);
    if (fromBeginning) {
      consumer.seekToBeginning(partitions);
    } else {
      consumer.seekToEnd(partitions);
    }
    // Seeking is lazy; what is written from now on must be seen.
    partitions.forEach(consumer::position);
  }

  ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
    return consumer.poll(timeout);
  }

  @Override
  public void close() {
    consumer.close();
  }
}
