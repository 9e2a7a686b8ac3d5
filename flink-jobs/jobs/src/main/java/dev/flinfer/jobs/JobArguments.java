package dev.flinfer.jobs;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.apache.flink.configuration.Configuration;

/** The arguments of {@link CompletionJob#main}. */
final class JobArguments {
  private static final String USAGE =
      "Options are given as --key value, as -Dkey=value, or as --config file with one"
          + " \"key: value\" per line";

  private JobArguments() {}

  static Configuration parse(String... args) {
    Configuration config = new Configuration();
    for (int i = 0; i < args.length; i++) {
      String argument = args[i];
      int equals = argument.indexOf('=');
      if (argument.startsWith("-D") && equals > 2) {
        config.setString(argument.substring(2, equals), argument.substring(equals + 1));
      } else if (argument.startsWith("--") && argument.length() > 2 && i + 1 < args.length) {
        String value = args[++i];
        if (argument.equals("--config")) {
          load(Path.of(value), config);
        } else {
          config.setString(argument.substring(2), value);
        }
      } else {
        throw new IllegalArgumentException(
            "%s is not an option with a value. %s".formatted(argument, USAGE));
      }
    }
    return config;
  }

  private static void load(Path file, Configuration config) {
    Properties properties = new Properties();
    try (BufferedReader reader = Files.newBufferedReader(file)) {
      properties.load(reader); // it can read flat YAML, too
    } catch (IOException e) {
      throw new IllegalArgumentException("--config %s cannot be read: %s".formatted(file, e), e);
    }
    for (String key : properties.stringPropertyNames()) {
      config.setString(key, properties.getProperty(key));
    }
  }
}
