package dev.flinfer.assembly;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Checks that the tests that the pages name exist. */
final class NamedTestsTest {
  private static final Path ROOT = Path.of("..", "..");

  private static final List<String> MODULES =
      List.of(
          "schemas",
          "inference-operator/engine",
          "inference-operator/tornado",
          "inference-operator/flink",
          "flink-jobs/jobs",
          "flink-jobs/cli",
          "deploy/assembly");

  /** A test class with or without a method, or another method of the class named before. */
  private static final Pattern NAMED =
      Pattern.compile("`([A-Z]\\w*(?:Test|IT|Contract))?(?:\\.([a-z]\\w+))?`");

  @Test
  void everyTestThatThePagesNameExists() {
    Map<String, String> sources = testSources();
    List<String> named = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    for (Path page : files(ROOT.resolve("docs"), ".md")) {
      String last = null;
      Matcher matcher = NAMED.matcher(read(page));
      while (matcher.find()) {
        last = matcher.group(1) == null ? last : matcher.group(1);
        String method = matcher.group(2);
        if (last == null || (matcher.group(1) == null && !isMethod(method))) {
          continue;
        }
        String source = sources.getOrDefault(last, "");
        String test = page.getFileName() + ": " + last + (method == null ? "" : "." + method);
        named.add(test);
        if (source.isEmpty() || (method != null && !source.contains(" void " + method + "("))) {
          missing.add(test);
        }
      }
    }
    assertThat(named).hasSizeGreaterThan(40);
    assertThat(missing).isEmpty();
  }

  /** Names of headers, such as {@code .key}, are single words; names of tests are sentences. */
  private static boolean isMethod(String name) {
    return name != null && name.chars().anyMatch(Character::isUpperCase);
  }

  private static Map<String, String> testSources() {
    Map<String, String> sources = new HashMap<>();
    for (String module : MODULES) {
      for (Path file : files(ROOT.resolve(module).resolve("src/test/java"), ".java")) {
        sources.put(file.getFileName().toString().replace(".java", ""), read(file));
      }
    }
    return sources;
  }

  private static List<Path> files(Path directory, String suffix) {
    try (Stream<Path> all = Files.walk(directory)) {
      return all.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
