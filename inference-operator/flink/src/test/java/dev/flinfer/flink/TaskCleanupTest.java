package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

final class TaskCleanupTest {

  @Test
  void theResourceIsClosedOnReturn() {
    AtomicBoolean closed = new AtomicBoolean();
    TaskCleanup.close("thing", () -> closed.set(true));
    assertThat(closed).isTrue();
  }

  @Test
  void anExceptionDoesNotLeaveTheCleanUp() {
    assertThatCode(
            () ->
                TaskCleanup.close(
                    "thing",
                    () -> {
                      throw new IOException("no broker");
                    }))
        .doesNotThrowAnyException();
  }

  @Test
  void anErrorDoes() {
    assertThatThrownBy(
            () ->
                TaskCleanup.close(
                    "thing",
                    () -> {
                      throw new OutOfMemoryError("heap");
                    }))
        .isInstanceOf(OutOfMemoryError.class);
  }

  @Test
  void aResourceThatBlocksIsClosedInTheBackground() throws Exception {
    CountDownLatch answers = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    TaskCleanup.close(
        "thing",
        () -> {
          answers.await();
          closed.countDown();
        },
        Duration.ofMillis(1));
    assertThat(closed.getCount()).as("closed while it blocks").isEqualTo(1);
    answers.countDown();
    assertThat(closed.await(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void anInterruptEndsTheWaitAndIsKept() {
    CountDownLatch answers = new CountDownLatch(1);
    Thread.currentThread().interrupt();
    TaskCleanup.close("thing", answers::await, Duration.ofDays(1));
    assertThat(Thread.interrupted()).isTrue();
    answers.countDown();
  }
}
