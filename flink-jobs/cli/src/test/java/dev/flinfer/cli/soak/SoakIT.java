package dev.flinfer.cli.soak;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.cli.RecordedConsole;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("release")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
final class SoakIT {

  @Test
  void nothingIsDuplicatedLostOrChangedInAMinute() {
    RecordedConsole recorded = new RecordedConsole();

    int code = recorded.run("soak", "--minutes", "1", "--seed", "7");

    assertThat(code).as(recorded.err() + recorded.out()).isZero();
    assertThat(recorded.out())
        .containsPattern("[1-9]\\d* kills? of the TaskManager, \\d+ rescales? in \\d+ s\n")
        .containsPattern("\nthroughput topic: completed [1-9]\\d*, rejected [1-9]\\d*\n")
        .containsPattern(
            "\nsent \\d+, completed [1-9]\\d*, rejected [1-9]\\d*, duplicated 0, lost 0, changed"
                + " 0\n$");
  }
}
