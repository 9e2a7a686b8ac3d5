package dev.flinfer.cli.soak;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.cli.RecordedConsole;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 10, unit = TimeUnit.MINUTES)
final class SoakProcessesIT {

  @Test
  @Tag("release")
  void nothingIsDuplicatedLostOrChangedOnACluster() {
    soak("cluster");
  }

  @Test
  @Tag("release")
  void nothingIsDuplicatedLostOrChangedByARun() {
    soak("run");
  }

  private static void soak(String layout) {
    RecordedConsole recorded = new RecordedConsole();

    int code = recorded.run("soak", "--processes=" + layout, "--minutes", "0.75", "--seed", "7");

    assertThat(code).as(recorded.err() + recorded.out()).isZero();
    assertThat(recorded.out())
        .containsPattern("\n(kill -9|freeze|slow down|full disk|cut off|stall) [^\n]* [1-9]\\d* ")
        .containsPattern("\nlongest time without an outcome: [\\d.]+ s; ")
        .containsPattern("\nthroughput topic: completed [1-9]\\d*, rejected [1-9]\\d*, ")
        .containsPattern(", duplicated 0, lost 0, changed 0\n$");
    assertThat(ProcessHandle.current().children()).as("processes that are left").isEmpty();
  }
}
