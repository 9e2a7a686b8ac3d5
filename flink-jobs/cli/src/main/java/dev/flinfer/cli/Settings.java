package dev.flinfer.cli;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.configuration.Configuration;

/** Options of a file. */
public final class Settings {
  private Settings() {}

  /** Lines of {@code key: value} or {@code key=value}; {@code #} begins a comment. */
  public static Configuration ofFile(Path file) throws IOException {
    Properties properties = properties(file);
    Map<String, String> settings = new HashMap<>();
    properties.stringPropertyNames().forEach(key -> settings.put(key, properties.getProperty(key)));
    return Configuration.fromMap(settings);
  }

  /**
   * Reads a file of properties, which flat YAML is as well.
   *
   * @throws UserError if it is not in UTF-8
   */
  public static Properties properties(Path file) throws IOException {
    Properties properties = new Properties();
    properties.load(new StringReader(Utf8.read(file)));
    return properties;
  }
}
