package dev.flinfer.flink;

import static dev.flinfer.engine.EngineOption.DEVICE;
import static dev.flinfer.engine.EngineOption.MAX_NUM_SEQS;
import static dev.flinfer.engine.EngineOption.THREADS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.DeviceSpecifier;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.ForwardingEngine;
import dev.flinfer.engine.ForwardingListener;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.RejectionStage;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.WireFormat;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.apache.flink.formats.avro.typeutils.AvroSerializer;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints taken while the real engine compiles a pattern. */
@Timeout(60)
final class PatternCheckpointTest {
  private static final String PATTERN =
      "{\"id\":\"p\",\"prompt\":\"hi\",\"max_tokens\":8,\"temperature\":0,\"structured_outputs\":{\"regex\":\"%s\"}}";
  private static final String PLAIN =
      "{\"id\":\"a\",\"prompt\":\"hi\",\"max_tokens\":2,\"temperature\":0}";

  @TempDir private static Path directory;

  private final CountDownLatch compiling = new CountDownLatch(1);
  private final CountDownLatch mayCompile = new CountDownLatch(1);

  @BeforeAll
  static void write() {
    RandomCheckpoint.write(
        directory.resolve("tiny"),
        new RandomCheckpoint.Shape(48, 4, 2, 96, 300, 96, 0.5),
        DType.F16,
        11);
  }

  @Test
  void aCheckpointCompletesAndOtherRequestsContinueWhileAPatternIsCompiled() throws Exception {
    OperatorSubtaskState state;
    try (OneInputStreamOperatorTestHarness<SourceRecord, CompletionRecord> flink = flink()) {
      flink.open();
      flink.processElement(TestRecords.record(0, PATTERN.formatted("[ab]{3}")), 0);
      flink.processElement(TestRecords.record(1, PLAIN), 0);
      compiling.await();
      flink.prepareSnapshotPreBarrier(1);
      flink.snapshot(1, 1);
      while (flink.extractOutputValues().isEmpty()) {
        flink.getTaskMailbox().take(0).run(); // the other request's completion
      }
      flink.prepareSnapshotPreBarrier(2);
      state = flink.snapshot(2, 2);
      assertThat(flink.extractOutputValues())
          .map(CompletionRecord::getCompletion)
          .map(Completion::getId)
          .containsExactly("a");
    }
    mayCompile.countDown();
    try (OneInputStreamOperatorTestHarness<SourceRecord, CompletionRecord> flink = flink()) {
      flink.initializeState(state);
      flink.open();
      flink.endInput();
      assertThat(flink.extractOutputValues())
          .map(CompletionRecord::getCompletion)
          .singleElement()
          .satisfies(
              completion -> {
                assertThat(completion.getId()).isEqualTo("p");
                assertThat(completion.getText()).matches("[ab]{3}");
              });
    }
  }

  @Test
  void anInvalidPatternIsRejectedAsInvalidOnceItIsCompiled() throws Exception {
    mayCompile.countDown();
    try (OneInputStreamOperatorTestHarness<SourceRecord, CompletionRecord> flink = flink()) {
      flink.open();
      flink.processElement(TestRecords.record(0, PATTERN.formatted("(")), 0);
      flink.endInput();

      Rejection rejection = flink.getSideOutput(InferenceOperator.REJECTIONS).remove().getValue();
      assertThat(rejection.getStage()).isEqualTo(RejectionStage.VALIDATE);
      assertThat(rejection.getErrorClass()).isEqualTo(InvalidRequestException.class.getName());
      assertThat(rejection.getErrorMessage())
          .isEqualTo("structured_outputs.regex is invalid at position 0: '(' has no ')'");
      assertThat(rejection.getId()).isEqualTo("p");
    }
  }

  private OneInputStreamOperatorTestHarness<SourceRecord, CompletionRecord> flink()
      throws Exception {
    EngineOptions options =
        EngineOptions.builder(directory.resolve("tiny").toString())
            .set(DEVICE, DeviceSpecifier.CPU)
            .set(MAX_NUM_SEQS, 4)
            .set(THREADS, 1)
            .build();
    OneInputStreamOperatorTestHarness<SourceRecord, CompletionRecord> flink =
        new OneInputStreamOperatorTestHarness<>(
            new InferenceOperatorFactory(
                new OperatorOptions(
                    options,
                    new Admission.Limits(4, 0),
                    3,
                    Duration.ofSeconds(10),
                    WireFormat.JSON,
                    Duration.ZERO,
                    OperatorOptions.NO_JOURNAL),
                given -> new CompilingEngine(LlmEngine.open(given)),
                () -> WireFormat.JSON.reader(CompletionRequest.class)),
            8,
            1,
            0);
    flink.setup(new AvroSerializer<>(CompletionRecord.class));
    return flink;
  }

  /** A real engine that compiles patterns when the test permits it. */
  private final class CompilingEngine extends ForwardingEngine {
    CompilingEngine(LlmEngine engine) {
      super(engine);
    }

    @Override
    public Generation submit(
        CompletionRequest request, GeneratedTokens resumeFrom, GenerationListener listener) {
      return super.submit(
          request,
          resumeFrom,
          new ForwardingListener(listener) {
            @Override
            public void onCompileStart() {
              super.onCompileStart();
              compiling.countDown();
              try {
                mayCompile.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            }
          });
    }
  }
}
