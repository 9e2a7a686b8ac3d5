package dev.flinfer.assembly;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The pages link to files that exist, and the architecture names classes that exist. */
final class PagesTest {
  private static final Path ROOT = Path.of("..", "..");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]+)(?:#[^)]*)?\\)");
  private static final Pattern CLASS = Pattern.compile("`([A-Z][a-z]\\w*)(?:\\.\\w+)?`");
  private static final int MAX_FILES = 3;

  /** Flink's, Kafka's and Java's, of which the page speaks. */
  private static final Set<String> OF_OTHERS = Set.of("ServiceLoader");

  @Test
  void everyLinkedFileExists() throws IOException {
    List<String> missing = new ArrayList<>();
    int links = 0;
    for (Path page : pages()) {
      Matcher link = LINK.matcher(Files.readString(page));
      while (link.find()) {
        links++;
        if (!Files.exists(page.resolveSibling(link.group(1)))) {
          missing.add(page + " -> " + link.group(1));
        }
      }
    }
    assertThat(links).isGreaterThan(60);
    assertThat(missing).isEmpty();
  }

  @Test
  void everyClassThatTheArchitectureNamesExists() throws IOException {
    Set<String> classes = new HashSet<>(OF_OTHERS);
    for (String module :
        List.of("schemas", "inference-operator", "flink-jobs", "deploy/assembly")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(module))) {
        files
            .map(file -> file.getFileName().toString())
            .filter(name -> name.matches(".*\\.(java|avsc|vm)"))
            .forEach(name -> classes.add(name.replaceAll("\\.\\w+$", "")));
      }
    }
    Matcher named = CLASS.matcher(Files.readString(ROOT.resolve("docs/architecture.md")));
    List<String> found = new ArrayList<>();
    while (named.find()) {
      found.add(named.group(1));
    }
    assertThat(found).hasSizeGreaterThan(40);
    assertThat(classes).containsAll(found);
  }

  @Test
  void aWishTouchesAtMostThreeFiles() throws IOException {
    String page = Files.readString(ROOT.resolve("docs/architecture.md"));
    List<String> rows =
        page.substring(page.indexOf("## I want to add"))
            .lines()
            .filter(l -> l.startsWith("|"))
            .toList();
    assertThat(rows).hasSizeGreaterThanOrEqualTo(2 + 10);
    for (String row : rows.subList(2, rows.size())) {
      assertThat(LINK.matcher(row).results().count()).as(row).isBetween(1L, (long) MAX_FILES);
    }
  }

  private static List<Path> pages() throws IOException {
    List<Path> pages = new ArrayList<>();
    try (Stream<Path> docs = Files.walk(ROOT.resolve("docs"));
        Stream<Path> deploy = Files.walk(ROOT.resolve("deploy"))) {
      Stream.concat(docs, deploy)
          .filter(file -> file.toString().endsWith(".md"))
          .filter(file -> !file.toString().contains("target"))
          .forEach(pages::add);
    }
    pages.add(ROOT.resolve("README.md"));
    pages.add(ROOT.resolve("CONTRIBUTING.md"));
    return pages;
  }
}
