package dev.flinfer.cli.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.cli.Samples;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.Throughput;
import dev.flinfer.schema.WireFormat;
import dev.flinfer.schema.WireFormatException;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

final class RecordPrinterTest {

  private static ConsumerRecord<byte[], byte[]> record(String key, byte[] value) {
    return new ConsumerRecord<>("topic", 0, 0, key == null ? null : bytes(key), value);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void jsonStaysUnchangedOnOneLine() {
    String printed =
        new RecordPrinter(null, false)
            .print(
                record(
                    "k",
                    bytes("{\"a\": 0.12345678901234567891,\n \"big\": 12345678901234567890}")));

    assertThat(printed).isEqualTo("{\"a\":0.12345678901234567891,\"big\":12345678901234567890}");
  }

  @Test
  void avroOfEachTopicBecomesJson() {
    Completion completion = Samples.completion("a", "Äpfel 🍎");
    Throughput window = Samples.window(0, 1000, 10, 2);
    RecordPrinter printer = new RecordPrinter(null, false);

    String first =
        printer.print(record(null, WireFormat.AVRO.writer(Completion.class).write(completion)));
    String second =
        printer.print(record(null, WireFormat.AVRO.writer(Throughput.class).write(window)));

    assertThat(WireFormat.JSON.reader(Completion.class).read(bytes(first))).isEqualTo(completion);
    assertThat(WireFormat.JSON.reader(Throughput.class).read(bytes(second))).isEqualTo(window);
  }

  @Test
  void theKeyIsShownIfRequested() {
    assertThat(new RecordPrinter(null, true).print(record("k", bytes("{}"))))
        .isEqualTo("{\"key\":\"k\",\"value\":{}}");
    assertThat(new RecordPrinter(null, true).print(record(null, null)))
        .isEqualTo("{\"key\":null,\"value\":null}");
  }

  @Test
  void aRecordOfTheDeadLetterQueueShowsWhyAndItsBytesAsText() {
    ConsumerRecord<byte[], byte[]> record = record("k", bytes("{\"prompt\": "));
    record.headers().add("mine", new byte[] {(byte) 0xFF});
    record.headers().add("__connect.errors.stage", bytes("DESERIALIZE"));

    assertThat(new RecordPrinter(null, false).print(record))
        .isEqualTo(
            "{\"key\":\"k\",\"value\":\"{\\\"prompt\\\": \",\"headers\":{\"mine\":\"base64:/w==\","
                + "\"__connect.errors.stage\":\"DESERIALIZE\"}}");
  }

  @Test
  void aValueThatIsNotAvroIsAnErrorIfAvroIsSet() {
    assertThatThrownBy(
            () -> new RecordPrinter(WireFormat.AVRO, false).print(record(null, bytes("{}"))))
        .isInstanceOf(WireFormatException.class);
  }
}
