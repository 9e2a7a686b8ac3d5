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
@Command // picocli mixes in nothing that has no annotation of a command or an option
public final class EngineArguments {

  /** How the command line names the engine's options. */
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
      @SuppressWarnings("unchecked") // the value that was there before is of no use to picocli
      public <T> T set(T value) {
        return value == null ? (T) given.remove(option) : (T) given.put(option, value.toString());
      }
    };
  }

  /** What it is, what it can be where that is a list, and its default. */
  private static String help(EngineOption<?> option) {
    String summary = option.summary(NAMES).replaceFirst("\\.$", "");
    String forms = String.join(", ", option.type().forms());
    return "%s%s (default: %s)."
        .formatted(summary, forms.isEmpty() ? "" : ": " + forms, option.defaultText())
        .replace("%", "%%"); // picocli formats it
  }

  /** The text of an option; null where it was not given. */
  public String given(EngineOption<?> option) {
    return given.get(option);
  }

  /** The device that was named; null where none was. */
  public String device() {
    return given(EngineOption.DEVICE);
  }

  /** The engine's defaults, and what was given. */
  public EngineOptions forModel(Path model) {
    EngineOptions.Builder options =
        EngineOptions.builder(NAMES).set(EngineOption.MODEL, model.toString());
    given.forEach(options::parse);
    return options.build();
  }

  /** Sets what was given as options of the job. */
  public void addTo(Configuration config) {
    given.forEach(
        (option, text) -> {
          option.parse(text, NAMES); // so that what is wrong has the name that it was given by
          config.setString(FlinferOptions.NAMES.of(option), text);
        });
  }
}
