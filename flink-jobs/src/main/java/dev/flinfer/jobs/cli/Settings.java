package dev.flinfer.jobs.cli;

import dev.flinfer.flink.FlinferOptions;
import dev.flinfer.jobs.KafkaOptions;
import java.io.IOException;
import java.io.Reader;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;

/** Options as users write them: keys and values. */
final class Settings {
  private static final String OURS = "flinfer.";

  private Settings() {}

  /** Lines of {@code key: value} or {@code key=value}; {@code #} begins a comment. */
  static Configuration ofFile(Path file) throws IOException {
    Properties properties = new Properties();
    try (Reader in = Files.newBufferedReader(file)) {
      properties.load(in);
    }
    Map<String, String> settings = new TreeMap<>();
    properties.stringPropertyNames().forEach(key -> settings.put(key, properties.getProperty(key)));
    return of(settings);
  }

  /**
   * @throws UserError if there is no such option of Flinfer; Flink's own are not looked at
   */
  static Configuration of(Map<String, String> settings) {
    SortedSet<String> known = knownKeys();
    for (String key : settings.keySet()) {
      if (key.startsWith(OURS) && !isKnown(key, known)) {
        throw new UserError(
            "there is no option %s; there are %s".formatted(key, String.join(", ", known)));
      }
    }
    return Configuration.fromMap(settings);
  }

  /** Options of type map take their entries as keys behind their own. */
  private static boolean isKnown(String key, SortedSet<String> known) {
    return known.contains(key) || key.startsWith(KafkaOptions.PROPERTIES.key() + ".");
  }

  private static SortedSet<String> knownKeys() {
    SortedSet<String> keys = new TreeSet<>();
    for (Class<?> options : new Class<?>[] {FlinferOptions.class, KafkaOptions.class}) {
      for (Field field : options.getFields()) {
        if (Modifier.isStatic(field.getModifiers()) && field.getType() == ConfigOption.class) {
          keys.add(key(field));
        }
      }
    }
    return keys;
  }

  private static String key(Field field) {
    try {
      return ((ConfigOption<?>) field.get(null)).key();
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(field + " is public and cannot be read", e);
    }
  }
}
