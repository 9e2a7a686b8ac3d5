package dev.flinfer.jobs;

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
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.configuration.description.HtmlFormatter;
import org.apache.flink.util.TimeUtils;

/** All options there are: {@code docs/options.md} is made here, and unknown keys are found. */
final class OptionsReference {
  private static final String PREFIX = "flinfer.";

  private static final String HEAD =
      """
      # Options

      Made from the option classes; `OptionsReferenceTest` says how to make it again.

      Options are Flink configuration: `-Dflinfer.max-num-seqs=64`. Flink's own options, such as
      `execution.checkpointing.interval` (10 s in the job where it is not set) and
      `restart-strategy.type` (`exponential-delay`: forever, after 1 s at first and a minute at most), can
      be given with them. An option that is not here, or that contradicts another, is refused at start.
      """;

  private OptionsReference() {}

  /** The option classes by the title of their section. */
  private static Map<String, Class<?>> sections() {
    Map<String, Class<?>> sections = new LinkedHashMap<>();
    sections.put("Inference", FlinferOptions.class);
    sections.put("Kafka", KafkaOptions.class);
    return sections;
  }

  private static List<Field> fields(Class<?> options) {
    List<Field> fields = new ArrayList<>();
    for (Field field : options.getDeclaredFields()) {
      if (Modifier.isPublic(field.getModifiers()) && field.getType() == ConfigOption.class) {
        fields.add(field);
      }
    }
    return fields;
  }

  private static ConfigOption<?> option(Field field) {
    try {
      return (ConfigOption<?>) field.get(null);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(field + " is public and cannot be read", e);
    }
  }

  /** The page {@code docs/options.md}. */
  static String markdown() {
    StringBuilder page = new StringBuilder(HEAD);
    sections()
        .forEach(
            (title, options) -> {
              page.append("\n## ").append(title).append("\n\n");
              page.append("| Option | Type | Default | Description |\n| --- | --- | --- | --- |\n");
              fields(options).forEach(field -> page.append(row(field)));
            });
    return page.toString();
  }

  private static String row(Field field) {
    ConfigOption<?> option = option(field);
    Type type = ((ParameterizedType) field.getGenericType()).getActualTypeArguments()[0];
    return "| `%s` | %s | %s | %s |\n"
        .formatted(
            option.key() + (option.defaultValue() instanceof Map ? ".*" : ""),
            typeName(type),
            defaultValue(option),
            description(option).replace("|", "\\|"));
  }

  private static String typeName(Type type) {
    if (type instanceof ParameterizedType) {
      return "strings";
    }
    Class<?> simple = (Class<?>) type;
    if (simple.isEnum()) {
      List<String> names = new ArrayList<>();
      for (Object constant : simple.getEnumConstants()) {
        names.add("`" + constant.toString().toLowerCase(Locale.ROOT) + "`");
      }
      return String.join(", ", names);
    }
    return simple == MemorySize.class
        ? "memory size"
        : simple.getSimpleName().toLowerCase(Locale.ROOT);
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
   * @throws IllegalArgumentException if a key that begins with {@code flinfer.} is no option
   */
  static void checkKeys(ReadableConfig config) {
    Set<String> known = new TreeSet<>();
    sections().values().forEach(c -> fields(c).forEach(f -> known.add(option(f).key())));
    for (String key : new TreeSet<>(config.toMap().keySet())) {
      if (key.startsWith(PREFIX)
          && !known.contains(key)
          && !key.startsWith(KafkaOptions.PROPERTIES.key() + ".")) {
        throw new IllegalArgumentException(
            "%s is not an option. There are %s".formatted(key, String.join(", ", known)));
      }
    }
  }
}
