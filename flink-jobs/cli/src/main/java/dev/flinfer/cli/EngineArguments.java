package dev.flinfer.cli;

import dev.flinfer.engine.EngineOption;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.OptionNames;
import dev.flinfer.flink.FlinferOptions;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.ISetter;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Spec;

/**
 * The options of {@link EngineOption} on every command that runs an engine. The model is not among
 * them: commands differ in how they take it.
 */
@Command // picocli mixes in only classes with one of its annotations
public final class EngineArguments {

  /** The names of the engine's options on the command line. */
  static final OptionNames NAMES = new OptionNames("--", '-', Map.of());

  private final Map<EngineOption<?>, String> given = new LinkedHashMap<>();

  /** Called by picocli with the command that these are mixed into. */
  @Spec(Spec.Target.MIXEE)
  void declare(CommandSpec command) {
    EngineOption.all().stream()
        .filter(option -> !option.isRequired())
        .forEach(option -> command.addOption(spec(option)));
  }

  private OptionSpec spec(EngineOption<?> option) {
    OptionSpec.Builder spec =
        OptionSpec.builder(NAMES.of(option)).description(help(option)).setter(setter(option));
    return switch (option.type().kind()) {
      case BOOLEAN -> spec.type(Boolean.class).arity("0").negatable(true).build();
      case INTEGER -> spec.type(Integer.class).arity("1").paramLabel("N").build();
      case MEMORY_SIZE -> spec.type(String.class).arity("1").paramLabel("SIZE").build();
      case TEXT -> spec.type(String.class).arity("1").paramLabel("NAME").build();
    };
  }

  private ISetter setter(EngineOption<?> option) {
    return new ISetter() {
      @Override
      @SuppressWarnings("unchecked") // picocli ignores the old value, which is returned
      public <T> T set(T value) {
        return value == null ? (T) given.remove(option) : (T) given.put(option, value.toString());
      }
    };
  }

  /** The summary of an option, its possible values if they can be listed, and its default. */
  private static String help(EngineOption<?> option) {
    String summary = option.summary(NAMES).replaceFirst("\\.$", "");
    String forms = String.join(", ", option.type().forms());
    return "%s%s (default: %s)."
        .formatted(summary, forms.isEmpty() ? "" : ": " + forms, option.defaultText())
        .replace("%", "%%"); // picocli formats it
  }

  /** The text of an option; null if it was not given. */
  public String given(EngineOption<?> option) {
    return given.get(option);
  }

  /** The device that was named; null if none was. */
  public String device() {
    return given(EngineOption.DEVICE);
  }

  /** Returns the engine's options: those given, and defaults for the others. */
  public EngineOptions forModel(Path model) {
    EngineOptions.Builder options =
        EngineOptions.builder(NAMES).set(EngineOption.MODEL, model.toString());
    given.forEach(options::parse);
    return options.build();
  }

  /** Adds the given options to the configuration of the job. */
  public void addTo(Configuration config) {
    given.forEach(
        (option, text) -> {
          option.parse(text, NAMES); // so that an error names the option as it was given
          config.setString(FlinferOptions.NAMES.of(option), text);
        });
  }
}
