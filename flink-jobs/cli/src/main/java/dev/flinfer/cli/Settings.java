package dev.flinfer.cli;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
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
    Properties properties = new Properties();
    try (Reader in = Files.newBufferedReader(file)) {
      properties.load(in); // flat YAML is among what it reads
    }
    Map<String, String> settings = new HashMap<>();
    properties.stringPropertyNames().forEach(key -> settings.put(key, properties.getProperty(key)));
    return Configuration.fromMap(settings);
  }
}
