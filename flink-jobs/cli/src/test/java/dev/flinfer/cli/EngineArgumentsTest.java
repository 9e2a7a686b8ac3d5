package dev.flinfer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.EngineOption;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.OptionSamples;
import dev.flinfer.engine.OptionType;
import dev.flinfer.flink.FlinferOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

final class EngineArgumentsTest {
  private static final Path MODEL = Path.of("phi-2");

  @Command(name = "any")
  private static final class AnyCommand {
    @Mixin private final EngineArguments engine = new EngineArguments();
  }

  private final AnyCommand command = new AnyCommand();
  private final CommandLine commandLine = new CommandLine(command);

  static List<EngineOption<?>> options() {
    return EngineOption.all().stream().filter(option -> !option.isRequired()).toList();
  }

  private static String[] arguments(EngineOption<?> option, String value) {
    String name = option.name();
    if (option.type().kind() != OptionType.Kind.BOOLEAN) {
      return new String[] {"--" + name, value};
    }
    return new String[] {value.equals("true") ? "--" + name : "--no-" + name};
  }

  /** A new option of the engine is here without a change of the command line. */
  @ParameterizedTest
  @MethodSource("options")
  void everyOptionOfTheEngineIsOnTheCommandLine(EngineOption<?> option) {
    EngineOptions defaults = command.engine.forModel(MODEL);
    assertThat(defaults).isEqualTo(EngineOptions.of(MODEL));
    String other = OptionSamples.other(option);
    commandLine.parseArgs(arguments(option, other));

    assertThat(command.engine.forModel(MODEL))
        .isEqualTo(defaults.toBuilder().parse(option, other).build());

    Configuration config = new Configuration();
    command.engine.addTo(config);
    assertThat(config.toMap()).isEqualTo(Map.of(FlinferOptions.NAMES.of(option), other));

    commandLine.parseArgs();
    assertThat(command.engine.forModel(MODEL)).as("parsed again").isEqualTo(defaults);
  }

  @ParameterizedTest
  @MethodSource("options")
  void aValueCanBeGivenThatIsTheDefault(EngineOption<?> option) {
    String value = EngineOptions.of(MODEL).text(option);
    commandLine.parseArgs(arguments(option, value));
    assertThat(command.engine.given(option)).isEqualTo(value);
  }

  @ParameterizedTest
  @ValueSource(strings = {"quickstart", "run", "generate", "bench", "soak"})
  void everyCommandThatRunsAnEngineHasThemAll(String name) {
    RecordedConsole recorded = new RecordedConsole();
    assertThat(recorded.run(name, "--help")).isZero();
    assertThat(options())
        .allSatisfy(
            option ->
                assertThat(recorded.out())
                    .containsPattern("--(\\[no-])?" + option.name() + "(=[A-Z]+)?[ \n]"));
    assertThat(recorded.out())
        .contains("--device=NAME", "--max-num-seqs=N", "--kv-cache-memory=SIZE")
        .contains("--[no-]enforce-eager")
        .containsPattern("\\(default:\\s+all\\s+cores\\)");
  }

  @Test
  void whatIsWrongIsNamedAsItWasGiven() {
    commandLine.parseArgs("--weights", "int8");
    String message = "--weights is int8; it must be auto, f32, f16, bf16, q8_0, q4_0 or w8a8";
    assertThatThrownBy(() -> command.engine.forModel(MODEL))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
    assertThatThrownBy(() -> command.engine.addTo(new Configuration())).hasMessage(message);

    commandLine.parseArgs("--weights", "w8a8");
    assertThatThrownBy(() -> command.engine.forModel(MODEL))
        .hasMessage(
            "--weights is w8a8; it must be another type where --cpu-products is not onednn, which"
                + " alone has it");
  }

  @Test
  void aNumberThatIsNoneIsWrongUse() {
    RecordedConsole recorded = new RecordedConsole();
    assertThat(recorded.run("generate", "--model=m", "--prompt=p", "--threads=many")).isEqualTo(2);
    assertThat(recorded.err())
        .startsWith("flinfer: Invalid value for option '--threads': 'many' is not an int\n");
  }
}
