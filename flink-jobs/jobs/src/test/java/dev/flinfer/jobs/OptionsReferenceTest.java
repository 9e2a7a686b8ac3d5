package dev.flinfer.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Test;

final class OptionsReferenceTest {
  private static final String WRITE = "flinfer.docs.write";

  @Test
  void thePageIsWhatTheOptionsSay() throws Exception {
    Path page = Path.of("..", "..", "docs", "options.md");
    if (Boolean.getBoolean(WRITE)) {
      Files.writeString(page, OptionsReference.markdown());
    }
    assertThat(page)
        .as(
            "docs/options.md is not what the options say. Make it again: ./mvnw -pl flink-jobs/jobs -am"
                + " test -Dtest=OptionsReferenceTest -Dsurefire.failIfNoSpecifiedTests=false -D%s=true",
            WRITE)
        .hasContent(OptionsReference.markdown());
  }

  @Test
  void describesAnOption() {
    assertThat(OptionsReference.markdown())
        .contains(
            "| `flinfer.input.topic` | string | `prompts` | Topic the requests are read from. |",
            "| `flinfer.kafka.bootstrap-servers` | string | none |",
            "| `flinfer.kafka.transaction-timeout` | duration | `15 min` |",
            "| `committed-or-earliest`, `earliest`, `latest` | `committed-or-earliest` |",
            "| `flinfer.kafka.properties.*` | strings | none |");
  }

  @Test
  void refusesAMisspeltOption() {
    assertThatThrownBy(
            () -> OptionsReference.checkKeys(Configuration.fromMap(Map.of("flinfer.inptu", "a"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("flinfer.inptu is not an option. There are flinfer.bounded, ")
        .hasMessageContaining(", flinfer.input.topic, ");
  }

  @Test
  void knowsPassedOnPropertiesAndFlinksOwnOptions() {
    Configuration config =
        Configuration.fromMap(
            Map.of(
                "flinfer.kafka.properties.security.protocol", "SSL",
                "flinfer.max-num-seqs", "4",
                "execution.checkpointing.interval", "5 s"));
    assertThatCode(() -> OptionsReference.checkKeys(config)).doesNotThrowAnyException();
  }
}
