package dev.flinfer.cli.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EmbeddedKafkaIT {

  @Test
  void keepsRecordsAndPortOverARestart(@TempDir Path dir) {
    String address;
    try (EmbeddedKafka kafka = EmbeddedKafka.start(dir)) {
      address = kafka.bootstrapServers();
      assertThat(address).startsWith("127.0.0.1:");
      kafka.createTopics(1, "greetings");
      send(address, "hello");
      assertThat(readAll(address, 1)).containsExactly("hello");
    }
    try (EmbeddedKafka kafka = EmbeddedKafka.start(dir)) {
      assertThat(kafka.bootstrapServers()).isEqualTo(address);
      kafka.createTopics(1, "greetings"); // already exists
      send(address, "again");
      assertThat(readAll(address, 2)).containsExactly("hello", "again");
    }
    assertThat(dir).isNotEmptyDirectory();
  }

  @Test
  void twoBrokersRunWhenThePortOfTheDirectoryIsInUse(@TempDir Path dir) throws Exception {
    try (EmbeddedKafka first = EmbeddedKafka.start(dir.resolve("first"))) {
      Path second = Files.createDirectories(dir.resolve("second"));
      Files.copy(dir.resolve("first/server.properties"), second.resolve("server.properties"));
      try (EmbeddedKafka other = EmbeddedKafka.start(second)) {
        assertThat(other.bootstrapServers()).isNotEqualTo(first.bootstrapServers());
        other.createTopics(1, "greetings");
        send(other.bootstrapServers(), "hello");
        assertThat(readAll(other.bootstrapServers(), 1)).containsExactly("hello");
      }
    }
  }

  @Test
  void deletesItsTemporaryDirectory() {
    EmbeddedKafka kafka = EmbeddedKafka.start();
    Path dir = kafka.dataDir();
    assertThat(dir).exists();
    kafka.close();
    kafka.close();
    assertThat(dir).doesNotExist();
  }

  @Test
  void namesADirectoryThatCannotBeUsed(@TempDir Path dir) throws Exception {
    Path file = Files.createFile(dir.resolve("file"));
    assertThatThrownBy(() -> EmbeddedKafka.start(file))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessage("The broker cannot use its directory " + file);
  }

  @Test
  void leavesTheProcessAliveWhenItDoesNotStart(@TempDir Path dir) throws Exception {
    try (EmbeddedKafka first = EmbeddedKafka.start()) {
      String address = first.bootstrapServers();
      int taken = Integer.parseInt(address.substring(address.indexOf(':') + 1));
      assertThatThrownBy(() -> EmbeddedKafka.start(dir, false, new int[] {taken, taken}, Map.of()))
          .isNotNull();
      first.createTopics(1, "greetings"); // and the first is unchanged
    }
  }

  private static void send(String address, String value) {
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", address), new StringSerializer(), new StringSerializer())) {
      producer.send(new ProducerRecord<>("greetings", value));
    }
  }

  private static List<String> readAll(String address, int count) {
    List<String> values = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", address, "auto.offset.reset", "earliest"),
            new StringDeserializer(),
            new StringDeserializer())) {
      consumer.assign(List.of(new TopicPartition("greetings", 0)));
      for (int i = 0; i < 100 && values.size() < count; i++) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          values.add(record.value());
        }
      }
    }
    return values;
  }
}
