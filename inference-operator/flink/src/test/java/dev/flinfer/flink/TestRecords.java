package dev.flinfer.flink;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.Header;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.StructuredOutputs;
import dev.flinfer.schema.WireFormat;
import dev.flinfer.schema.WireFormatException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Records in a format for tests, {@code id:prompt:max_tokens}; without an id the first part is
 * empty, and a record that starts with an exclamation mark cannot be read. One that starts with #
 * names what its reader throws.
 */
final class TestRecords {
  private TestRecords() {}

  static SourceRecord record(long offset, String value) {
    return new SourceRecord(
        "prompts",
        7,
        offset,
        offset * 1000,
        bytes("key " + offset),
        value == null ? null : bytes(value),
        List.of(new Header("trace", bytes("header " + offset))));
  }

  static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  static String text(ByteBuffer bytes) {
    return StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
  }

  /** Reads the format for tests. */
  static CompletionRequest read(byte[] bytes) {
    String value = new String(bytes, StandardCharsets.UTF_8);
    if (value.startsWith("!")) {
      throw new WireFormatException("'!' at byte 0 is not an id", value.substring(1), null);
    }
    fail(value);
    String[] parts = value.split(":", -1);
    return CompletionRequest.newBuilder()
        .setId(parts[0].isEmpty() ? null : parts[0])
        .setPrompt(parts[1])
        .setMaxTokens(Integer.parseInt(parts[2]))
        .setLogprobs(1)
        .setStructuredOutputs(
            parts[1].startsWith("compile ") ? new StructuredOutputs(parts[1], null) : null)
        .build();
  }

  /** Throws what the text names. */
  static void fail(String text) {
    switch (text) {
      case "#overflow" -> throw new StackOverflowError();
      case "#memory" -> throw new OutOfMemoryError("Java heap space");
      case "#class" -> throw new NoClassDefFoundError("a/B");
      case "#halt" -> Runtime.getRuntime().halt(137);
      case "#defect" -> throw new IllegalStateException("a defect");
      default -> {
        // a request
      }
    }
  }

  /** A factory of operators that read the format for tests. */
  static InferenceOperatorFactory factory(int maxInFlight, long maxTokens, EngineSupplier engines) {
    return factory(maxInFlight, maxTokens, engines, OperatorOptions.NO_JOURNAL);
  }

  static InferenceOperatorFactory factory(
      int maxInFlight, long maxTokens, EngineSupplier engines, String journal) {
    return new InferenceOperatorFactory(
        new OperatorOptions(
            EngineOptions.of(Path.of("model")),
            new Admission.Limits(maxInFlight, maxTokens),
            3,
            Duration.ofSeconds(10),
            WireFormat.JSON,
            Duration.ZERO,
            journal),
        engines,
        () -> TestRecords::read);
  }
}
