package dev.flinfer.cli.kafka;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.Throughput;
import dev.flinfer.schema.WireFormat;
import dev.flinfer.schema.WireFormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/** Formats records of any of the job's topics as one line of JSON. */
final class RecordPrinter {
  private static final String DLQ_HEADERS = "__connect.errors.";
  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

  /** The record types of the topics; the fingerprint of an Avro record matches one of them. */
  private static final List<Function<byte[], byte[]>> AVRO_TO_JSON =
      List.of(toJson(Completion.class), toJson(Throughput.class), toJson(CompletionRequest.class));

  private final WireFormat format;
  private final boolean showKey;

  /**
   * @param format the format; null detects it by each record's first bytes
   */
  RecordPrinter(WireFormat format, boolean showKey) {
    this.format = format;
    this.showKey = showKey;
  }

  String print(ConsumerRecord<byte[], byte[]> record) {
    boolean fromDlq = false;
    ObjectNode headers = JSON.createObjectNode();
    for (Header header : record.headers()) {
      headers.set(header.key(), text(header.value()));
      fromDlq |= header.key().startsWith(DLQ_HEADERS);
    }
    // A dead letter's value is shown unchanged, because its exact bytes matter.
    JsonNode value = fromDlq ? text(record.value()) : value(record.value());
    if (!fromDlq && !showKey) {
      return value.toString();
    }
    ObjectNode object = JSON.createObjectNode();
    object.set("key", text(record.key()));
    object.set("value", value);
    if (fromDlq) {
      object.set("headers", headers);
    }
    return object.toString();
  }

  private JsonNode value(byte[] bytes) {
    if (bytes == null) {
      return NullNode.getInstance();
    }
    boolean avro = format == null ? isSingleObject(bytes) : format == WireFormat.AVRO;
    try {
      return JSON.readTree(avro ? avroToJson(bytes) : bytes);
    } catch (JsonProcessingException e) {
      return text(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Avro's single-object encoding begins with two bytes that no JSON text begins with. */
  private static boolean isSingleObject(byte[] bytes) {
    return bytes.length > 2 && bytes[0] == (byte) 0xC3 && bytes[1] == 1;
  }

  private static byte[] avroToJson(byte[] bytes) {
    WireFormatException last = null;
    for (Function<byte[], byte[]> reader : AVRO_TO_JSON) {
      try {
        return reader.apply(bytes);
      } catch (WireFormatException e) {
        last = e;
      }
    }
    throw last;
  }

  private static <T extends SpecificRecordBase> Function<byte[], byte[]> toJson(Class<T> type) {
    WireFormat.Reader<T> reader = WireFormat.AVRO.reader(type);
    WireFormat.Writer<T> writer = WireFormat.JSON.writer(type);
    return bytes -> writer.write(reader.read(bytes));
  }

  /** Returns the bytes as text if they are UTF-8, otherwise as base64 with a prefix. */
  private static JsonNode text(byte[] bytes) {
    if (bytes == null) {
      return NullNode.getInstance();
    }
    try {
      return TextNode.valueOf(
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (CharacterCodingException e) {
      return TextNode.valueOf("base64:" + Base64.getEncoder().encodeToString(bytes));
    }
  }
}
