package dev.flinfer.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.EngineOption;
import dev.flinfer.flink.FlinferOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

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

  static List<EngineOption<?>> engineOptions() {
    return EngineOption.all();
  }

  /** A new option of the engine is here without a change of this class. */
  @ParameterizedTest
  @MethodSource("engineOptions")
  void everyOptionOfTheEngineIsOnThePage(EngineOption<?> option) {
    String key = FlinferOptions.NAMES.of(option);
    assertThat(OptionsReference.markdown().lines().filter(l -> l.startsWith("| `" + key + "` |")))
        .singleElement()
        .asString()
        .endsWith(" | " + option.description(FlinferOptions.NAMES) + " |");
    assertThatCode(() -> OptionsReference.checkKeys(Configuration.fromMap(Map.of(key, "any"))))
        .doesNotThrowAnyException();
  }

  @Test
  void theTypeOfAnEnginesOptionHasItsRange() {
    assertThat(OptionsReference.markdown())
        .contains(
            "| `flinfer.max-num-seqs` | integer, at least 1 | `32` |",
            "| `flinfer.threads` | integer, at least 1, or 0 for all cores | `0` |",
            "| `flinfer.device` | `auto`, `cpu`, `opencl[:n]`, `ptx[:n]`, `cuda[:n]` | `auto` |",
            "| `flinfer.cpu.products` | `auto`, `java`, `onednn` | `auto` |");
  }

  @Test
  void refusesAMisspeltOption() {
    assertThatThrownBy(
            () -> OptionsReference.checkKeys(Configuration.fromMap(Map.of("flinfer.inptu", "a"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "flinfer.inptu is not an option. There are flinfer.admission-journal.dir, ")
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
