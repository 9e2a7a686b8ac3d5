package dev.flinfer.jobs;

import dev.flinfer.engine.EngineOption;
import dev.flinfer.engine.InvalidOptionException;
import dev.flinfer.engine.OptionType;
import dev.flinfer.flink.FlinferOptions;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.configuration.description.HtmlFormatter;
import org.apache.flink.util.TimeUtils;

/** All options: generates {@code docs/options.md} and finds unknown keys. */
final class OptionsReference {
  private static final String PREFIX = "flinfer.";

  private static final String HEAD =
      """
      # Options

      Generated from the option classes; `OptionsReferenceTest` describes how to generate it again.

      Options are Flink configuration: `-Dflinfer.max-num-seqs=64`. Flink's own options, such as
      `execution.checkpointing.interval` (10 s in the job where it is not set) and
      `restart-strategy.type` (`exponential-delay`: forever, after 1 s at first and a minute at most), can
      be given with them. An option that is not on this page, or that contradicts another, is refused at
      start.

      The command line has the options of the engine under the same names, with hyphens throughout:
      `--max-num-seqs 64`, `--cpu-products onednn`. In Java they are constants of `EngineOption`
      ([engine.md](engine.md#options)), and the engine's messages write `max_num_seqs`.
      """;

  private OptionsReference() {}

  /**
   * A row of the page.
   *
   * @param type of the values, with their range
   */
  private record Row(ConfigOption<?> option, String type) {

    static Row of(EngineOption<?> option) {
      List<String> forms = option.type().forms();
      OptionType.Kind kind = option.type().kind();
      String range = option.range().words();
      String type =
          kind != OptionType.Kind.TEXT
              ? kind.name().toLowerCase(Locale.ROOT).replace('_', ' ')
                  + (range.isEmpty() ? "" : ", " + range)
              : forms.isEmpty() ? "string" : inCode(forms);
      return new Row(FlinferOptions.of(option), type);
    }

    static Row of(Field field) {
      Type type = ((ParameterizedType) field.getGenericType()).getActualTypeArguments()[0];
      try {
        return new Row((ConfigOption<?>) field.get(null), typeName(type));
      } catch (IllegalAccessException e) {
        throw new IllegalStateException(field + " is public and cannot be read", e);
      }
    }

    @Override
    public String toString() {
      return "| `%s` | %s | %s | %s |\n"
          .formatted(
              option.key() + (option.defaultValue() instanceof Map ? ".*" : ""),
              type,
              defaultValue(option),
              description(option).replace("|", "\\|"));
    }
  }

  /** The options by the title of their section. */
  private static Map<String, List<Row>> sections() {
    List<Row> inference = new ArrayList<>(rows(FlinferOptions.class));
    inference.removeIf(row -> row.option().equals(FlinferOptions.MODEL)); // one of the engine's
    Map<String, List<Row>> sections = new LinkedHashMap<>();
    sections.put("Engine", EngineOption.all().stream().<Row>map(Row::of).toList());
    sections.put("Inference", inference);
    sections.put("Kafka", rows(KafkaOptions.class));
    return sections;
  }

  private static List<Row> rows(Class<?> options) {
    List<Row> rows = new ArrayList<>();
    for (Field field : options.getDeclaredFields()) {
      if (Modifier.isPublic(field.getModifiers()) && field.getType() == ConfigOption.class) {
        rows.add(Row.of(field));
      }
    }
    return rows;
  }

  /** The page {@code docs/options.md}. */
  static String markdown() {
    StringBuilder page = new StringBuilder(HEAD);
    sections()
        .forEach(
            (title, rows) -> {
              page.append("\n## ").append(title).append("\n\n");
              page.append("| Option | Type | Default | Description |\n| --- | --- | --- | --- |\n");
              rows.forEach(page::append);
            });
    return page.toString();
  }

  private static String typeName(Type type) {
    if (type instanceof ParameterizedType) {
      return "strings";
    }
    Class<?> simple = (Class<?>) type;
    if (simple.isEnum()) {
      return inCode(
          Stream.of(simple.getEnumConstants())
              .map(constant -> constant.toString().toLowerCase(Locale.ROOT))
              .toList());
    }
    return simple == MemorySize.class
        ? "memory size"
        : simple.getSimpleName().toLowerCase(Locale.ROOT);
  }

  private static String inCode(List<String> words) {
    return words.stream().map(word -> "`" + word + "`").collect(Collectors.joining(", "));
  }

  private static String defaultValue(ConfigOption<?> option) {
    Object value = option.defaultValue();
    if (value == null || value instanceof Map) {
      return "none";
    }
    String text = value.toString();
    if (value instanceof Duration) {
      text = TimeUtils.formatWithHighestUnit((Duration) value);
    } else if (value instanceof Enum) {
      text = text.toLowerCase(Locale.ROOT);
    }
    return "`" + text + "`";
  }

  static String description(ConfigOption<?> option) {
    return new HtmlFormatter().format(option.description());
  }

  /**
   * A misspelt option must not be an option that was not given.
   *
   * @throws InvalidOptionException if a key that begins with {@code flinfer.} is no option
   */
  static void checkKeys(ReadableConfig config) {
    Set<String> known = new TreeSet<>();
    sections().values().forEach(rows -> rows.forEach(row -> known.add(row.option().key())));
    for (String key : new TreeSet<>(config.toMap().keySet())) {
      if (key.startsWith(PREFIX)
          && !known.contains(key)
          && !key.startsWith(KafkaOptions.PROPERTIES.key() + ".")) {
        String meant =
            NearestName.to(withoutPrefix(key), known.stream().map(OptionsReference::withoutPrefix))
                .map(name -> "did you mean " + PREFIX + name + "? ")
                .orElse("");
        throw new InvalidOptionException(
            "%s is not an option; %sdocs/options.md lists all".formatted(key, meant));
      }
    }
  }

  private static String withoutPrefix(String key) {
    return key.substring(PREFIX.length());
  }
}
