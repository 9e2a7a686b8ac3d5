package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.LongStream;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.util.OperatorSnapshotUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Checkpoints that older versions wrote, kept as files: the operator continues from them. A change
 * of the state's format adds a file; existing files are never written again.
 */
@Timeout(20)
final class KeptSnapshotTest {

  /** This format has no event times: the timestamps of the records are used instead. */
  @Test
  void theFirstFormatContinuesAfterItsLastTokens() throws Exception {
    assertContinues("0.1.0-first", 0, 1000, 2000);
  }

  @Test
  void theFormatWithEventTimesContinuesAfterItsLastTokens() throws Exception {
    assertContinues(
        "0.1.0-event-times",
        OperatorHarness.eventTime(0),
        OperatorHarness.eventTime(1),
        OperatorHarness.eventTime(2));
  }

  @Test
  void theFormatWithTheModelContinuesAfterItsLastTokens() throws Exception {
    assertContinues(
        "0.1.0-model-digest",
        OperatorHarness.eventTime(0),
        OperatorHarness.eventTime(1),
        OperatorHarness.eventTime(2));
  }

  private static void assertContinues(String name, long... timestamps) throws Exception {
    try (OperatorHarness harness = OperatorHarness.restored(read(name), 8)) {
      assertThat(harness.engine.submitted()).containsExactly("a", "b", "c");
      assertThat(harness.engine.resumedFrom("a").tokens())
          .containsExactly(FakeEngine.tokensOf("a", 3).stream().mapToInt(i -> i).toArray());
      assertThat(harness.engine.resumedFrom("a").logprobs()).hasSize(3);
      assertThat(harness.engine.resumedFrom("b").tokens()).hasSize(1);
      assertThat(harness.rejections()).hasSize(1);

      harness.finish("a", "b", "c");

      harness.assertOutput("a", "b", "c");
      assertThat(harness.completions().get(0).getCompletion().getTokenIds())
          .isEqualTo(FakeEngine.tokensOf("a", 5));
      assertThat(harness.completions().get(0).getKey())
          .isEqualTo(TestRecords.record(0, "").getKey());
      assertThat(harness.flink.extractOutputStreamRecords())
          .map(record -> record.getTimestamp())
          .containsExactlyElementsOf(LongStream.of(timestamps).boxed().toList());
    }
  }

  /** Writes a file in the current format; run it once, manually, before the format changes. */
  @Test
  @EnabledIfSystemProperty(named = "flinfer.snapshot.write", matches = ".+")
  void write() throws Exception {
    Path file = Path.of(System.getProperty("flinfer.snapshot.write"));
    try (OperatorHarness harness = OperatorHarness.opened(8)) {
      harness.process(0, "a:hello:5");
      harness.process(1, "b:hello:5");
      harness.engine.step();
      harness.engine.step("a");
      harness.engine.step("a");
      harness.flink.processWatermark(10);
      harness.process(2, "c:hello:2");
      harness.process(3, "!x");
      harness.finish("c");
      OperatorSnapshotUtil.writeStateHandle(harness.checkpoint(1), file.toString());
    }
    assertThat(Files.size(file)).isPositive();
  }

  private static OperatorSubtaskState read(String name) throws Exception {
    return OperatorSnapshotUtil.readStateHandle(path(name + ".snapshot"));
  }

  private static String path(String name) throws URISyntaxException {
    return Path.of(KeptSnapshotTest.class.getResource("/snapshots/" + name).toURI()).toString();
  }
}
