package dev.flinfer.schema;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecordBase;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Records that older versions wrote, kept as files: they stay readable. A release adds a directory
 * with its records; none is ever written again.
 */
class OldRecordsTest {
  @Test
  void aRequestOfAnOlderSchemaGetsTheDefaultsOfTheLaterFields() throws IOException {
    assertThat(readOlder(CompletionRequest.class))
        .isEqualTo(
            CompletionRequest.newBuilder()
                .setId("r-1")
                .setPrompt("Größe 😀?")
                .setMaxTokens(7)
                .setTemperature(0.25)
                .setStop(List.of("\n"))
                .build());
  }

  @Test
  void aCompletionOfAnOlderSchemaGetsTheDefaultsOfTheLaterFields() throws IOException {
    assertThat(readOlder(Completion.class))
        .isEqualTo(
            Completion.newBuilder()
                .setId("r-1")
                .setText("XL")
                .setFinishReason(FinishReason.STOP)
                .setPromptTokens(4)
                .setCompletionTokens(2)
                .setModel("phi-2")
                .setModelDigest("00ff")
                .build());
  }

  @ParameterizedTest
  @ValueSource(
      classes = {
        CompletionRequest.class,
        Completion.class,
        Rejection.class,
        Throughput.class,
        InFlightRequest.class
      })
  void recordsOfReleasedVersionsSayTheSameInBothFormats(Class<? extends SpecificRecordBase> type)
      throws IOException {
    SpecificRecordBase avro =
        WireFormat.AVRO.reader(type).read(file("0.1.0/" + type.getSimpleName() + ".avro"));
    SpecificRecordBase json =
        WireFormat.JSON.reader(type).read(file("0.1.0/" + type.getSimpleName() + ".json"));

    assertThat(avro).isEqualTo(json);
  }

  @Test
  void aReleasedRequestIsReadAsItWasWritten() throws IOException {
    assertThat(
            WireFormat.AVRO
                .reader(CompletionRequest.class)
                .read(file("0.1.0/CompletionRequest.avro")))
        .isEqualTo(
            CompletionRequest.newBuilder()
                .setId("r-1")
                .setPrompt("Größe 😀?")
                .setPromptTokenIds(List.of(1, 50256))
                .setMaxTokens(7)
                .setTemperature(0.25)
                .setTopP(0.9)
                .setTopK(40)
                .setStop(List.of("\n", "###"))
                .setSeed(-1L)
                .setLogprobs(1)
                .setChoices(List.of("yes", "no"))
                .setDeadline(1767225600000L)
                .setMetadata(Map.of("tenant", "t1"))
                .build());
  }

  /** Through the constructor that takes a history: no release has had these schemas. */
  private static <T extends SpecificRecordBase> T readOlder(Class<T> type) throws IOException {
    Schema schema =
        new Schema.Parser()
            .parse(new String(file("older/" + type.getSimpleName() + ".avsc"), UTF_8));
    return new AvroReader<>(type, List.of(schema))
        .read(file("older/" + type.getSimpleName() + ".avro"));
  }

  private static byte[] file(String name) throws IOException {
    try (InputStream in = OldRecordsTest.class.getResourceAsStream("/" + name)) {
      assertThat(in).as(name).isNotNull();
      return in.readAllBytes();
    }
  }
}
