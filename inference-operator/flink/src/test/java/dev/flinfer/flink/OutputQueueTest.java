package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.schema.RejectionStage;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class OutputQueueTest {
  private final List<Object> out = new ArrayList<>();
  private final OutputQueue queue = new OutputQueue(out::add, out::add);
  private long offset;

  private InFlight add() {
    InFlight request = InFlight.arrived(TestRecords.record(offset++, ""), null);
    queue.add(request);
    return request;
  }

  private void finish(InFlight request) {
    request.reject(RejectionStage.VALIDATE, new InvalidRequestException("no"), null);
    queue.finished(request);
  }

  @Test
  void ofWatermarksWithNoRequestBetweenThemTheLastRemains() {
    InFlight first = add();
    queue.addBarrier(new Watermark(1));
    queue.addBarrier(new Watermark(2));
    queue.addBarrier(WatermarkStatus.IDLE);
    queue.addBarrier(WatermarkStatus.ACTIVE);
    queue.addBarrier(new Watermark(3));
    InFlight second = add();
    queue.addBarrier(new Watermark(4));

    finish(first);
    assertThat(out)
        .containsExactly(
            first,
            new Watermark(2),
            WatermarkStatus.IDLE,
            WatermarkStatus.ACTIVE,
            new Watermark(3));

    finish(second);
    assertThat(out).endsWith(second, new Watermark(4)).hasSize(7);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void noOutcomeCrossesAWatermarkWhateverTheOrderOfFinishing(int seed) {
    Random random = new Random(seed);
    List<Object> in = new ArrayList<>();
    List<InFlight> unfinished = new ArrayList<>();
    for (int i = 0; i < 500 || !unfinished.isEmpty(); i++) {
      int choice = random.nextInt(10);
      if (i < 500 && choice < 5) {
        InFlight request = add();
        unfinished.add(request);
        in.add(request);
      } else if (i < 500 && choice < 6) {
        Watermark watermark = new Watermark(i);
        queue.addBarrier(watermark);
        if (!in.isEmpty()
            && in.get(in.size() - 1) instanceof Watermark
            && !out.contains(in.get(in.size() - 1))) {
          in.remove(in.size() - 1); // the later one replaces both
        }
        in.add(watermark);
      } else if (!unfinished.isEmpty()) {
        finish(unfinished.remove(random.nextInt(unfinished.size())));
      }
      assertThat(queue.requests()).containsAll(unfinished).hasSize(queue.size());
    }

    assertThat(queue.size()).isZero();
    assertThat(out).containsExactlyInAnyOrderElementsOf(in);
    for (int i = 0; i < in.size(); i++) {
      if (in.get(i) instanceof Watermark) {
        int at = out.indexOf(in.get(i));
        assertThat(out.subList(0, at)).containsExactlyInAnyOrderElementsOf(in.subList(0, i));
      }
    }
  }
}
