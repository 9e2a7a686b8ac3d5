package dev.flinfer.jobs;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.flinfer.cli.local.EmbeddedKafka;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.Configuration;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The four topics of one test's job, and plain clients on them. */
final class TestTopics {
  static final int PARTITIONS = 2;

  final String input;
  final String output;
  final String dlq;
  final String metrics;
  private final String name;
  private final String bootstrapServers;

  private TestTopics(String bootstrapServers, String name) {
    this.bootstrapServers = bootstrapServers;
    this.name = name;
    input = name + "-prompts";
    output = name + "-completions";
    dlq = name + "-dlq";
    metrics = name + "-throughput";
  }

  static TestTopics create(EmbeddedKafka kafka, String name) {
    TestTopics topics = new TestTopics(kafka.bootstrapServers(), name);
    kafka.createTopics(PARTITIONS, topics.input, topics.output, topics.dlq, topics.metrics);
    return topics;
  }

  /** Prefix of the names of the topics, the group and the transactions. */
  String name() {
    return name;
  }

  /** The options of a bounded job on these topics. */
  Configuration config(String model) {
    Map<String, String> config = new HashMap<>();
    config.put("flinfer.model", model);
    config.put("flinfer.kafka.bootstrap-servers", bootstrapServers);
    config.put("flinfer.kafka.group-id", name);
    config.put("flinfer.kafka.transactional-id-prefix", name);
    config.put("flinfer.input.topic", input);
    config.put("flinfer.output.topic", output);
    config.put("flinfer.dlq.topic", dlq);
    config.put("flinfer.metrics.topic", metrics);
    config.put("flinfer.bounded", "true");
    config.put("execution.checkpointing.interval", "200 ms");
    config.put("restart-strategy.type", "fixed-delay");
    config.put("restart-strategy.fixed-delay.attempts", "3");
    config.put("restart-strategy.fixed-delay.delay", "100 ms");
    return Configuration.fromMap(config);
  }

  static ProducerRecord<byte[], byte[]> record(String topic, String key, byte[] value) {
    ProducerRecord<byte[], byte[]> record =
        new ProducerRecord<>(topic, key == null ? null : key.getBytes(UTF_8), value);
    record.headers().add(new RecordHeader("trace", ("trace-" + key).getBytes(UTF_8)));
    record.headers().add(new RecordHeader("empty", null));
    return record;
  }

  void send(List<ProducerRecord<byte[], byte[]>> records) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", bootstrapServers, "max.request.size", 4 << 20),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (ProducerRecord<byte[], byte[]> record : records) {
        sent.add(producer.send(record));
      }
      for (Future<RecordMetadata> acknowledged : sent) {
        acknowledged.get(30, TimeUnit.SECONDS);
      }
    }
  }

  /** Returns what a consumer that reads only committed records sees in a topic now. */
  List<ConsumerRecord<byte[], byte[]>> read(String topic) {
    List<TopicPartition> partitions = new ArrayList<>();
    for (int p = 0; p < PARTITIONS; p++) {
      partitions.add(new TopicPartition(topic, p));
    }
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(
                "bootstrap.servers", bootstrapServers,
                "isolation.level", "read_committed",
                "auto.offset.reset", "earliest"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (ends.entrySet().stream()
          .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
        consumer.poll(Duration.ofMillis(100)).forEach(records::add);
      }
    }
    return records;
  }

  /** Returns the sum of the offsets that the job's group has committed. */
  long committed() throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", (Object) bootstrapServers))) {
      return admin
          .listConsumerGroupOffsets(name)
          .partitionsToOffsetAndMetadata()
          .get(30, TimeUnit.SECONDS)
          .values()
          .stream()
          .mapToLong(OffsetAndMetadata::offset)
          .sum();
    }
  }

  static String text(byte[] bytes) {
    return bytes == null ? null : new String(bytes, UTF_8);
  }

  /** Returns the last header with the given name. */
  static String header(ConsumerRecord<byte[], byte[]> record, String name) {
    Header header = record.headers().lastHeader(name);
    return header == null ? null : text(header.value());
  }
}
