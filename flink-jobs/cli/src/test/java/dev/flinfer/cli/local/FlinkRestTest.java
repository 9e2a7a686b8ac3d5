package dev.flinfer.cli.local;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class FlinkRestTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "java.io.IOException: disk full\\n\\tat a.B.c(B.java:1) | IOException: disk full",
        "a.B: x\\n\\tat a.B\\nCaused by: c.D$E: y\\n\\tat z\\nCaused by: f.G: last: h | G: last: h",
        "a.B | a.B",
      })
  void theRootCauseOfAStackTraceIsOneLine(String stackTrace, String cause) {
    assertThat(FlinkRest.rootCause(stackTrace.replace("\\n", "\n").replace("\\t", "\t")))
        .isEqualTo(cause);
  }
}
