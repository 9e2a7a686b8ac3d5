package dev.flinfer.jobs.sink;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.schema.Header;
import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.RejectionStage;
import dev.flinfer.schema.SourceRecord;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What is kept of a record that becomes too large for its topic with the headers that give the
 * reason.
 */
final class DeadLetterTest {
  private static final RecordLimit LIMIT = new RecordLimit("dlq", 20_000);
  private static final String WHY = "temperature is ü; it must be a finite number";

  @Test
  void aRecordThatFitsIsUnchanged() {
    DeadLetter letter = DeadLetter.of(rejection(10, 10, 10, WHY), 5L, LIMIT);

    assertThat(letter.shortened()).isFalse();
    assertThat(letter.leftOut()).isFalse();
    ProducerRecord<byte[], byte[]> kafka = letter.kafka();
    assertThat(kafka.topic()).isEqualTo("dlq");
    assertThat(kafka.timestamp()).isEqualTo(5);
    assertThat(kafka.key()).isEqualTo(new byte[10]);
    assertThat(kafka.value()).isEqualTo(new byte[10]);
    assertThat(kafka.headers().lastHeader("trace").value()).isEqualTo(new byte[10]);
    assertPlace(kafka);
    assertThat(header(kafka, "__connect.errors.stage")).isEqualTo("GENERATE");
    assertThat(header(kafka, "__connect.errors.exception.class.name")).isEqualTo("a.B");
    assertThat(header(kafka, "__connect.errors.exception.message")).isEqualTo(WHY);
    assertThat(header(kafka, "flinfer.errors.attempts")).isEqualTo("3");
    assertThat(kafka.headers()).hasSize(8);
  }

  /** A dead letter that is sent again carries the headers of its first rejection. */
  @Test
  void theReasonsOfAnEarlierRejectionAreReplaced() {
    Rejection first = rejection(10, 30_000, 10, "the first reason");
    List<Header> headers = new ArrayList<>();
    DeadLetter.of(first, null, LIMIT)
        .kafka()
        .headers()
        .forEach(h -> headers.add(new Header(h.key(), ByteBuffer.wrap(h.value()))));
    for (String added : List.of("flinfer.key.added", "flinfer.timestamp", "flinfer.error")) {
      headers.add(new Header(added, ByteBuffer.allocate(3)));
    }
    headers.add(new Header("flinfer", ByteBuffer.allocate(3))); // not one of them
    Rejection second = rejection(10, 10, 10, "the second reason");
    second.getRecord().setHeaders(headers);

    ProducerRecord<byte[], byte[]> kafka = DeadLetter.of(second, null, LIMIT).kafka();
    assertThat(kafka.headers())
        .extracting(org.apache.kafka.common.header.Header::key)
        .containsExactly(
            "trace",
            "flinfer",
            "__connect.errors.topic",
            "__connect.errors.partition",
            "__connect.errors.offset",
            "__connect.errors.stage",
            "__connect.errors.exception.class.name",
            "__connect.errors.exception.message",
            "flinfer.errors.attempts");
    assertThat(header(kafka, "__connect.errors.exception.message")).isEqualTo("the second reason");
    assertThat(RecordParts.headers(headers)) // as in a completion
        .extracting(org.apache.kafka.common.header.Header::key)
        .containsExactly("trace", "flinfer");
  }

  @Test
  void aMessageThatQuotesTheRecordIsCut() {
    DeadLetter letter = DeadLetter.of(rejection(10, 10, 10, "é".repeat(9_000)), null, LIMIT);
    String message = header(letter.kafka(), "__connect.errors.exception.message");
    assertThat(message).isEqualTo("é".repeat(2046) + " ...");
    assertThat(letter.shortened()).isFalse();
  }

  /**
   * Checks each size around the limit: the result always fits, and the record's own bytes are left
   * out last.
   */
  @Test
  void theReasonIsShortenedBeforeTheRecordIs() {
    int whole = 0;
    int cut = 0;
    int bare = 0;
    for (int value = 19_400; value < 20_000; value++) {
      DeadLetter letter = DeadLetter.of(rejection(10, value, 10, WHY), null, LIMIT);
      assertThat(LIMIT.holds(letter.kafka())).as("value of %d bytes", value).isTrue();
      assertPlace(letter.kafka());
      String message = header(letter.kafka(), "__connect.errors.exception.message");
      if (letter.leftOut()) {
        assertThat(letter.kafka().value()).isEmpty();
        assertThat(header(letter.kafka(), "flinfer.errors.left.out.value")).isEqualTo("" + value);
        assertThat(message).isEqualTo(WHY);
        continue;
      }
      assertThat(letter.kafka().value()).isEqualTo(new byte[value]);
      whole += letter.shortened() ? 0 : 1;
      if (letter.shortened() && message != null) {
        cut++;
        assertThat(message).endsWith(" ...");
        assertThat(WHY).startsWith(message.substring(0, message.length() - 4));
      }
      bare += message == null ? 1 : 0;
    }
    assertThat(whole).isPositive();
    assertThat(cut).isBetween(40, 45);
    assertThat(bare).isPositive();
    assertThat(whole + cut + bare).isLessThan(600);
  }

  @ParameterizedTest
  @ValueSource(strings = {"key", "headers"})
  void theLargestPartIsLeftOutFirst(String part) {
    boolean isKey = part.equals("key");
    DeadLetter letter =
        DeadLetter.of(rejection(isKey ? 30_000 : 10, 500, isKey ? 10 : 30_000, WHY), null, LIMIT);

    assertThat(letter.leftOut()).isTrue();
    assertThat(LIMIT.holds(letter.kafka())).isTrue();
    assertThat(letter.kafka().value()).hasSize(500);
    assertThat(letter.kafka().key() == null).isEqualTo(isKey);
    assertThat(letter.kafka().headers().lastHeader("trace") == null).isEqualTo(!isKey);
    assertThat(header(letter.kafka(), "flinfer.errors.left.out." + part)).startsWith("300");
    assertPlace(letter.kafka());
  }

  @Test
  void everyRecordHasADeadLetterThatFitsTheLowestLimit() {
    RecordLimit least = new RecordLimit("dlq", RecordLimit.MIN_BYTES);
    DeadLetter letter =
        DeadLetter.of(rejection(50_000, 50_000, 50_000, "é".repeat(50_000)), null, least);
    assertThat(least.holds(letter.kafka())).isTrue();
    assertPlace(letter.kafka());
    assertThat(header(letter.kafka(), "flinfer.errors.left.out.key")).isEqualTo("50000");
    assertThat(header(letter.kafka(), "flinfer.errors.left.out.value")).isEqualTo("50000");
    assertThat(header(letter.kafka(), "flinfer.errors.left.out.headers")).isEqualTo("50005");
  }

  @Test
  void aTopicWithoutRoomForTheShortestDeadLetterIsRefused() {
    assertThatThrownBy(() -> new RecordLimit("dlq", 1000))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "max.message.bytes of topic dlq is 1000; it must be at least 16384, so that a record"
                + " that is too large can be reported. Raise it");
  }

  private static void assertPlace(ProducerRecord<byte[], byte[]> kafka) {
    assertThat(header(kafka, "__connect.errors.topic")).isEqualTo("prompts");
    assertThat(header(kafka, "__connect.errors.partition")).isEqualTo("7");
    assertThat(header(kafka, "__connect.errors.offset")).isEqualTo("99");
  }

  private static String header(ProducerRecord<byte[], byte[]> kafka, String name) {
    return kafka.headers().lastHeader(name) == null
        ? null
        : new String(kafka.headers().lastHeader(name).value(), UTF_8);
  }

  private static Rejection rejection(int key, int value, int header, String why) {
    SourceRecord record =
        new SourceRecord(
            "prompts",
            7,
            99L,
            5L,
            ByteBuffer.allocate(key),
            ByteBuffer.allocate(value),
            List.of(new Header("trace", ByteBuffer.allocate(header))));
    assertThat(why.getBytes(UTF_8)).isNotEmpty();
    return new Rejection(RejectionStage.GENERATE, "a.B", why, null, record, 3);
  }
}
