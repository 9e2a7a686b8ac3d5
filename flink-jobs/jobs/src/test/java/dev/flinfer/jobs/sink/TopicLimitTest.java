package dev.flinfer.jobs.sink;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class TopicLimitTest {
  private static final RecordLimit ASSUMED = new RecordLimit("dlq", 1_000_000);
  private static final RecordLimit READ = new RecordLimit("dlq", 20_000);

  private final List<Runnable> background = new ArrayList<>();
  private Optional<RecordLimit> answer = Optional.empty();
  private int queries;
  private long now = Long.MAX_VALUE; // nanoTime may overflow

  private TopicLimit limit() {
    return new TopicLimit(
        () -> {
          queries++;
          return answer;
        },
        ASSUMED,
        () -> now,
        background::add);
  }

  @Test
  void aLimitThatIsReadIsNotQueriedAgain() {
    answer = Optional.of(READ);
    TopicLimit limit = limit();
    assertThat(limit.current()).isEqualTo(READ);
    now += Duration.ofDays(1).toNanos();
    assertThat(limit.current()).isEqualTo(READ);
    assertThat(queries).isEqualTo(1);
    assertThat(background).isEmpty();
  }

  @Test
  void aLimitThatCannotBeReadIsQueriedEveryMinuteInTheBackground() {
    TopicLimit limit = limit();
    assertThat(limit.current()).isEqualTo(ASSUMED);
    assertThat(background).isEmpty();
    now += Duration.ofMinutes(1).toNanos();
    assertThat(limit.current()).isEqualTo(ASSUMED);
    assertThat(limit.current()).isEqualTo(ASSUMED);
    assertThat(background).hasSize(1);
    background.get(0).run();
    assertThat(limit.current()).isEqualTo(ASSUMED);

    answer = Optional.of(READ);
    now += Duration.ofMinutes(1).toNanos();
    limit.current();
    assertThat(background).hasSize(2);
    background.get(1).run();
    assertThat(limit.current()).isEqualTo(READ);
    now += Duration.ofMinutes(1).toNanos();
    limit.current();
    assertThat(background).hasSize(2);
  }
}
