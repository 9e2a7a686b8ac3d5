package dev.flinfer.assembly;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The contents of the archive for a Flink cluster. */
final class ArchiveIT {
  private static final String VERSION = System.getProperty("flinfer.version");
  private static final boolean TORNADO = Boolean.getBoolean("flinfer.tornado");

  /** Each jar, and its maximum size in KiB. */
  private static final String JARS =
      """
      flinfer-jobs-VERSION.jar                    140
      lib/HdrHistogram-2.2.2.jar                  174
      lib/avro-1.12.2.jar                         717
      lib/dnnl-3.13-1.5.14-linux-x86_64.jar     27477
      lib/flinfer-engine-VERSION.jar              500
      lib/flinfer-operator-VERSION.jar            100
      lib/flinfer-schemas-VERSION.jar             250
      lib/flink-avro-2.3.0.jar                    125
      lib/flink-connector-kafka-5.0.0-2.2.jar     418
      lib/jackson-annotations-2.21.jar             81
      lib/jackson-core-2.21.7.jar                 581
      lib/jackson-databind-2.21.7.jar            1670
      lib/jackson-datatype-jdk8-2.21.7.jar         36
      lib/jackson-datatype-jsr310-2.21.7.jar      134
      lib/kafka-clients-4.2.2.jar                9999
      lib/lz4-java-1.11.2.jar                     877
      lib/snappy-java-1.1.10.7.jar               2284
      lib/zstd-jni-1.5.6-10.jar                  7135
      """;

  private static final String BACKEND = "tornado/flinfer-tornado-VERSION.jar         150\n";

  /** The files of the archive, by their path below its single top directory. */
  private static final Map<String, byte[]> FILES = new TreeMap<>();

  @BeforeAll
  static void readTheArchive() throws IOException {
    String directory = "flinfer-" + VERSION + "/";
    Path archive = Path.of("target", "flinfer-" + VERSION + ".tar.gz");
    try (TarArchiveInputStream tar =
        new TarArchiveInputStream(
            new GzipCompressorInputStream(
                new BufferedInputStream(Files.newInputStream(archive))))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        assertThat(entry.getName()).startsWith(directory);
        if (!entry.isDirectory()) {
          FILES.put(entry.getName().substring(directory.length()), tar.readAllBytes());
        }
      }
    }
  }

  @Test
  void theArchiveHasExactlyTheseJarsWithinTheirLimits() {
    Map<String, Integer> maxKib = new TreeMap<>();
    (TORNADO ? JARS + BACKEND : JARS)
        .replace("VERSION", VERSION)
        .lines()
        .map(line -> line.split(" +"))
        .forEach(columns -> maxKib.put(columns[0], Integer.valueOf(columns[1])));
    assertThat(jars()).isEqualTo(maxKib.keySet());
    maxKib.forEach(
        (jar, max) -> assertThat(FILES.get(jar).length).as(jar).isLessThanOrEqualTo(max * 1024));
  }

  @Test
  void theArchiveHasExactlyTheseOtherFiles() {
    Set<String> others = new TreeSet<>(FILES.keySet());
    others.removeAll(jars());
    assertThat(others.remove("tornado/tornadovm.args")).isEqualTo(TORNADO);
    assertThat(others)
        .containsExactly(
            "LICENSE",
            "README.md",
            "examples/demo-model/config.json",
            "examples/demo-model/generation_config.json",
            "examples/demo-model/held-out.jsonl",
            "examples/demo-model/model.safetensors",
            "examples/demo-model/tokenizer.json",
            "examples/flink-config.yaml",
            "examples/job.yaml",
            "licences/THIRD-PARTY.md");
  }

  @Test
  void noClassIsInTwoJars() throws IOException {
    Map<String, String> jarOfClass = new HashMap<>();
    for (String jar : jars()) {
      for (String name : classes(FILES.get(jar))) {
        assertThat(jarOfClass.put(name, jar)).as("%s, in %s and in", name, jar).isNull();
      }
    }
    assertThat(jarOfClass).hasSizeGreaterThan(4000);
  }

  /** A second copy of Flink's own classes would sooner or later be another version. */
  @Test
  void noClassIsFlinksOwn() throws IOException {
    Set<String> ours = new TreeSet<>();
    for (String jar : jars()) {
      ours.addAll(classes(FILES.get(jar)));
    }
    int read = 0;
    for (String path : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      String name = Path.of(path).getFileName().toString();
      if (name.startsWith("flink-") && !FILES.containsKey("lib/" + name)) {
        read++;
        assertThat(classes(Files.readAllBytes(Path.of(path))))
            .as(name)
            .doesNotContainAnyElementsOf(ours);
      }
    }
    assertThat(read).as("jars of Flink").isGreaterThan(10);
  }

  @Test
  void everyThirdPartyJarHasALicence() {
    String licences = text("licences/THIRD-PARTY.md");
    List<String> others =
        jars().stream()
            .filter(jar -> !jar.contains("flinfer-"))
            .map(jar -> jar.replaceAll("lib/(.+?)-[0-9].*", "$1"))
            .toList();
    assertThat(others).hasSizeGreaterThan(10).allMatch(licences::contains);
  }

  @Test
  void theExamplesAreFilledIn() {
    assertThat(text("examples/flink-config.yaml"))
        .contains("env.java.opts.taskmanager: --add-modules=jdk.incubator.vector ")
        .doesNotContain("${");
    assertThat(text("examples/job.yaml"))
        .contains("flinfer.model: /opt/flink/flinfer-" + VERSION + "/examples/demo-model")
        .doesNotContain("${");
  }

  private static Set<String> jars() {
    Set<String> jars = new TreeSet<>(FILES.keySet());
    jars.removeIf(name -> !name.endsWith(".jar"));
    return jars;
  }

  private static String text(String name) {
    return new String(FILES.get(name), StandardCharsets.UTF_8);
  }

  /** Returns the names of a jar's classes; a module descriptor is not a class. */
  private static Set<String> classes(byte[] jar) throws IOException {
    Set<String> classes = new TreeSet<>();
    try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(jar))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        if (entry.getName().endsWith(".class") && !entry.getName().endsWith("module-info.class")) {
          classes.add(entry.getName());
        }
      }
    }
    return classes;
  }
}
