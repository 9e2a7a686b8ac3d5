package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.Requests;
import dev.flinfer.engine.TestOptions;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.WireFormat;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.flink.formats.avro.typeutils.AvroSerializer;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints taken while the real forward pass computes requests. */
@Timeout(60)
final class RealEngineStateTest {
  private static final int TOKENS = 20;

  private static final CompletionRequest SEVERAL =
      Requests.greedy("n", "a prompt for three", TOKENS)
          .setTemperature(0.9)
          .setN(3)
          .setLogprobs(2)
          .setIgnoreEos(true)
          .build();

  /** Its prompt takes more steps than the other request generates tokens before the checkpoint. */
  private static final CompletionRequest CHOICES =
      Requests.greedy("c", "one of these labels it is, and the prompt is long. ".repeat(3), 1)
          .setChoices(List.of("sport", "space", "art"))
          .build();

  @TempDir private static Path directory;

  @BeforeAll
  static void write() {
    RandomCheckpoint.Shape shape = new RandomCheckpoint.Shape(48, 4, 2, 96, 300, 256, 0.5);
    RandomCheckpoint.write(directory.resolve("tiny"), shape, DType.F16, 11);
    RandomCheckpoint.write(directory.resolve("other"), shape, DType.F16, 12);
  }

  private static EngineOptions options(String model) {
    return TestOptions.cpu(directory.resolve(model), 4, 24, 1);
  }

  @Test
  void severalOutputsAndChoicesContinueWhereTheyWere() throws Exception {
    PausingEngine after = new PausingEngine(LlmEngine.open(options("tiny")), Integer.MAX_VALUE);
    assertThat(restored(startedByTiny(), after))
        .containsExactlyInAnyOrder(undisturbed("tiny", SEVERAL), undisturbed("tiny", CHOICES));
    int kept = after.resumedFrom("n").count();
    assertThat(kept).isBetween(3, 3 * TOKENS - 1);
    assertThat(after.resumedFrom("c").count()).isZero();
    assertThat(kept + after.stats().generatedTokens()).isEqualTo(3 * TOKENS);
  }

  /** The other model differs only in its weights. */
  @Test
  void aCompletionComesFromOneModelOnly() throws Exception {
    PausingEngine after = new PausingEngine(LlmEngine.open(options("other")), Integer.MAX_VALUE);
    assertThat(restored(startedByTiny(), after))
        .containsExactlyInAnyOrder(undisturbed("other", SEVERAL), undisturbed("other", CHOICES));
    assertThat(after.resumedFrom("n").count()).isZero();
    assertThat(undisturbed("other", SEVERAL).getTokenIds())
        .isNotEqualTo(undisturbed("tiny", SEVERAL).getTokenIds());
  }

  private static OperatorSubtaskState startedByTiny() throws Exception {
    OperatorSubtaskState state;
    PausingEngine before = new PausingEngine(LlmEngine.open(options("tiny")), 3);
    try (OneInputStreamOperatorTestHarness<SourceRecord, CompletionRecord> flink = flink(before)) {
      flink.open();
      flink.processElement(TestRecords.record(0, "n"), 0);
      flink.processElement(TestRecords.record(1, "c"), 0);
      before.awaitPause();
      flink.prepareSnapshotPreBarrier(1);
      state = flink.snapshot(1, 1);
      assertThat(flink.extractOutputValues()).isEmpty();
      before.resume();
    }
    return state;
  }

  private static List<Completion> restored(OperatorSubtaskState state, LlmEngine engine)
      throws Exception {
    try (OneInputStreamOperatorTestHarness<SourceRecord, CompletionRecord> flink = flink(engine)) {
      flink.initializeState(state);
      flink.open();
      flink.endInput();
      return flink.extractOutputValues().stream()
          .map(CompletionRecord::getCompletion)
          .map(Requests::bits)
          .toList();
    }
  }

  private static Completion undisturbed(String model, CompletionRequest request) throws Exception {
    try (LlmEngine engine = LlmEngine.open(options(model))) {
      return Requests.bits(
          Requests.submit(engine, request, GeneratedTokens.NONE).get(30, TimeUnit.SECONDS));
    }
  }

  private static OneInputStreamOperatorTestHarness<SourceRecord, CompletionRecord> flink(
      LlmEngine engine) throws Exception {
    Map<String, CompletionRequest> requests = Map.of("n", SEVERAL, "c", CHOICES);
    OperatorOptions options =
        new OperatorOptions(
            options("tiny"), // not used: the engine is given
            new Admission.Limits(4, 0),
            3,
            Duration.ofSeconds(10),
            WireFormat.JSON,
            Duration.ZERO,
            OperatorOptions.NO_JOURNAL);
    OneInputStreamOperatorTestHarness<SourceRecord, CompletionRecord> flink =
        new OneInputStreamOperatorTestHarness<>(
            new InferenceOperatorFactory(
                options,
                unused -> engine,
                () ->
                    bytes ->
                        CompletionRequest.newBuilder(
                                requests.get(new String(bytes, StandardCharsets.UTF_8)))
                            .build()),
            8,
            1,
            0);
    flink.setup(new AvroSerializer<>(CompletionRecord.class));
    return flink;
  }
}
