package dev.flinfer.cli.kafka;

import dev.flinfer.cli.UserError;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads committed records of all partitions of topics, without a consumer group. */
public final class TopicReader implements AutoCloseable {
  private static final String INTERNAL = "__";

  private final KafkaConsumer<byte[], byte[]> consumer;

  private TopicReader(KafkaConsumer<byte[], byte[]> consumer) {
    this.consumer = consumer;
  }

  /**
   * @throws UserError if the topic does not exist
   * @throws org.apache.kafka.common.errors.TimeoutException if no broker answers
   */
  public static TopicReader open(KafkaArguments kafka, String topic, boolean fromBeginning)
      throws IOException {
    return open(kafka, List.of(topic), fromBeginning);
  }

  /** Opens several topics. */
  public static TopicReader open(
      KafkaArguments kafka, Collection<String> topics, boolean fromBeginning) throws IOException {
    Properties properties = kafka.properties();
    properties.setProperty(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    properties.setProperty(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    ByteArrayDeserializer deserializer = new ByteArrayDeserializer();
    TopicReader reader =
        new TopicReader(new KafkaConsumer<>(properties, deserializer, deserializer));
    boolean started = false;
    try {
      reader.start(topics, fromBeginning);
      started = true;
    } finally {
      if (!started) {
        reader.close();
      }
    }
    return reader;
  }

  private void start(Collection<String> topics, boolean fromBeginning) {
    List<TopicPartition> partitions = topics.stream().flatMap(this::partitions).toList();
    consumer.assign(partitions);
    if (fromBeginning) {
      consumer.seekToBeginning(partitions);
    } else {
      consumer.seekToEnd(partitions);
    }
    // Seeking is lazy; position() fixes the offset, so that all later records are read.
    partitions.forEach(consumer::position);
  }

  private Stream<TopicPartition> partitions(String topic) {
    List<PartitionInfo> infos = consumer.partitionsFor(topic);
    if (infos == null || infos.isEmpty()) {
      throw new UserError(
          "topic %s does not exist; the broker has %s".formatted(topic, userTopics()));
    }
    return infos.stream().map(info -> new TopicPartition(topic, info.partition()));
  }

  private String userTopics() {
    List<String> names =
        consumer.listTopics().keySet().stream()
            .filter(name -> !name.startsWith(INTERNAL))
            .sorted()
            .toList();
    return names.isEmpty() ? "none" : String.join(", ", names);
  }

  public ConsumerRecords<byte[], byte[]> poll(Duration timeout) {
    return consumer.poll(timeout);
  }

  /** Whether all records committed so far are read. */
  boolean isAtEnd() {
    return consumer.endOffsets(consumer.assignment()).entrySet().stream()
        .allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
  }

  @Override
  public void close() {
    consumer.close();
  }
}
