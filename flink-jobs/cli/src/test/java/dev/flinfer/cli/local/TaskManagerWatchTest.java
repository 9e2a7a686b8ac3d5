package dev.flinfer.cli.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

final class TaskManagerWatchTest {
  private int taskManagers = 1;
  private final TaskManagerWatch watch =
      new TaskManagerWatch(() -> taskManagers, () -> taskManagers++);

  private boolean checkAt(int seconds) {
    return watch.check(Duration.ofSeconds(seconds).toNanos());
  }

  @Test
  void replacesATaskManagerThatStaysAway() {
    assertThat(checkAt(1)).isFalse();
    taskManagers = 0;
    assertThat(checkAt(2)).isFalse();
    assertThat(checkAt(11)).isFalse();
    assertThat(checkAt(12)).isTrue();
    assertThat(taskManagers).isEqualTo(1);
    assertThat(checkAt(30)).isFalse();
  }

  @Test
  void leavesOneThatComesBackAlone() {
    taskManagers = 0;
    assertThat(checkAt(2)).isFalse();
    taskManagers = 1;
    assertThat(checkAt(5)).isFalse();
    taskManagers = 0;
    assertThat(checkAt(13)).isFalse();
    assertThat(checkAt(22)).isFalse();
    assertThat(checkAt(23)).isTrue();
  }
}
