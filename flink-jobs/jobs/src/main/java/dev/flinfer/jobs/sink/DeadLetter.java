package dev.flinfer.jobs.sink;

import static dev.flinfer.jobs.sink.RecordParts.utf8;

import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.SourceRecord;
import java.util.Arrays;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;

/**
 * A rejected record as it is written to the dead letter queue: unchanged, with Kafka Connect's
 * headers. These headers can make it too large for the topic although it fit in the input topic.
 * Then the reason is shortened, then left out, and finally the record's own parts are left out, the
 * largest first. Its position in the input topic is always included.
 *
 * @param leftOut whether a part of the record itself is missing
 */
record DeadLetter(ProducerRecord<byte[], byte[]> kafka, boolean shortened, boolean leftOut) {
  private static final String PREFIX = "__connect.errors.";

  /** Prefix of a part's name; the header gives the number of bytes left out. */
  private static final String LEFT_OUT = "flinfer.errors.left.out.";

  /** An error message quotes a field's value, which can be the whole record. */
  private static final int MAX_MESSAGE_BYTES = 4096;

  private static final byte[] CUT = utf8(" ...");

  /**
   * @param timestamp of the record, null for the time of writing
   */
  static DeadLetter of(Rejection rejection, Long timestamp, RecordLimit limit) {
    byte[] message = cut(utf8(rejection.getErrorMessage()), MAX_MESSAGE_BYTES);
    SourceRecord record = rejection.getRecord();
    Parts original =
        new Parts(
            RecordParts.bytes(record.getKey()),
            RecordParts.bytes(record.getValue()),
            RecordParts.headers(record.getHeaders()));
    ProducerRecord<byte[], byte[]> full = write(rejection, timestamp, limit, original, message);
    if (limit.holds(full)) {
      return new DeadLetter(full, false, false);
    }
    long excess = RecordLimit.size(full) - limit.bytes();
    if (excess <= message.length - CUT.length) {
      byte[] shortened = cut(message, message.length - (int) excess);
      return new DeadLetter(write(rejection, timestamp, limit, original, shortened), true, false);
    }
    ProducerRecord<byte[], byte[]> bare = write(rejection, timestamp, limit, original, null);
    return limit.holds(bare)
        ? new DeadLetter(bare, true, false)
        : withoutParts(rejection, timestamp, limit, original, message);
  }

  private static DeadLetter withoutParts(
      Rejection rejection, Long timestamp, RecordLimit limit, Parts original, byte[] message) {
    Parts parts = original;
    ProducerRecord<byte[], byte[]> kafka;
    do {
      parts = parts.withoutLargest();
      kafka = write(rejection, timestamp, limit, parts, message);
    } while (!limit.holds(kafka) && !parts.isEmpty());
    return new DeadLetter(kafka, true, true);
  }

  private static ProducerRecord<byte[], byte[]> write(
      Rejection rejection, Long timestamp, RecordLimit limit, Parts parts, byte[] message) {
    SourceRecord record = rejection.getRecord();
    Headers headers = new RecordHeaders(parts.headers);
    headers.add(PREFIX + "topic", utf8(record.getTopic()));
    headers.add(PREFIX + "partition", utf8(record.getPartition()));
    headers.add(PREFIX + "offset", utf8(record.getOffset()));
    headers.add(PREFIX + "stage", utf8(rejection.getStage()));
    if (message != null) {
      headers.add(PREFIX + "exception.class.name", utf8(rejection.getErrorClass()));
      headers.add(PREFIX + "exception.message", message);
    }
    if (rejection.getAttempts() > 0) {
      headers.add("flinfer.errors.attempts", utf8(rejection.getAttempts()));
    }
    parts.leftOut.forEach(headers::add);
    Long accepted = limit.timestamp(timestamp, headers);
    String place = record.getTopic() + "-" + record.getPartition() + "-" + record.getOffset();
    byte[] key = limit.key(parts.key, place, headers);
    return new ProducerRecord<>(limit.topic(), null, accepted, key, parts.value, headers);
  }

  /** The record's own parts, and headers that list the parts left out. */
  private record Parts(byte[] key, byte[] value, Headers headers, RecordHeaders leftOut) {
    Parts(byte[] key, byte[] value, Headers headers) {
      this(key, value, headers, new RecordHeaders());
    }

    boolean isEmpty() {
      return key == null && value.length == 0 && headers.toArray().length == 0;
    }

    /** A value is replaced by an empty one, not by null, which deletes in a compacted topic. */
    Parts withoutLargest() {
      long ofHeaders = Arrays.stream(headers.toArray()).mapToLong(Parts::size).sum();
      int ofKey = key == null ? 0 : key.length;
      RecordHeaders leftOutNow = new RecordHeaders(leftOut);
      if (value.length >= ofHeaders && value.length >= ofKey) {
        leftOutNow.add(LEFT_OUT + "value", utf8(value.length));
        return new Parts(key, new byte[0], headers, leftOutNow);
      }
      if (ofHeaders >= ofKey) {
        leftOutNow.add(LEFT_OUT + "headers", utf8(ofHeaders));
        return new Parts(key, value, new RecordHeaders(), leftOutNow);
      }
      leftOutNow.add(LEFT_OUT + "key", utf8(ofKey));
      return new Parts(null, value, headers, leftOutNow);
    }

    private static long size(org.apache.kafka.common.header.Header header) {
      return header.key().length() + (header.value() == null ? 0L : header.value().length);
    }
  }

  /** Returns at most the given number of bytes of a text, without splitting a character. */
  private static byte[] cut(byte[] text, int maxBytes) {
    if (text.length <= maxBytes) {
      return text;
    }
    int end = Math.max(0, maxBytes - CUT.length);
    while (end > 0 && (text[end] & 0xC0) == 0x80) { // inside a character
      end--;
    }
    byte[] cut = Arrays.copyOf(text, end + CUT.length);
    System.arraycopy(CUT, 0, cut, end, CUT.length);
    return cut;
  }
}
