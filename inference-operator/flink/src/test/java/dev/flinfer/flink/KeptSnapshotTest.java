package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OperatorSnapshotUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Checkpoints that older versions wrote, kept as files: the operator goes on from them. A change of
 * the state's format adds a file; none is ever written again.
 */
@Timeout(20)
final class KeptSnapshotTest {

  /** Before the state kept event times and attempts were counted. */
  @Test
  void theFirstFormatGoesOnBehindItsLastTokens() throws Exception {
    try (OperatorHarness harness = OperatorHarness.restored(read("0.1.0-first"), 8)) {
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
      // It knew no event time; the record's own stands in.
      assertThat(harness.flink.extractOutputStreamRecords())
          .extracting(StreamRecord::getTimestamp)
          .containsExactly(0L, 1000L, 2000L);
    }
  }

  /** Writes a file for the current format; run it once, by hand, before the format changes. */
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
