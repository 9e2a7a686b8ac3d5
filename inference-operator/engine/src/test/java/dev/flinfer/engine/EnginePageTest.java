package dev.flinfer.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compiles the code in docs/engine.md and runs its program, so that the page stays correct. */
final class EnginePageTest {
  private static final Path ROOT = Path.of("..", "..");

  @TempDir Path directory;

  @Test
  void theProgramOnThePageRuns() throws Exception {
    String page = Files.readString(ROOT.resolve("docs/engine.md"));
    Matcher program = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(page);
    assertThat(program.find()).isTrue();
    assertThat(program.group(1).lines().filter(line -> !line.isBlank()).count())
        .isLessThanOrEqualTo(15);
    compile("Example", program.group(1));

    String prompt = "Ticket: Hi, my parcel has not arrived. Thanks, Maria\nCategory:";
    assertThat(run(ROOT.resolve("deploy/demo-model").toString(), prompt))
        .startsWith(" shipping\nReply: ")
        .endsWith("STOP\n");

    assertThat(program.find()).as("options").isTrue();
    compile(
        "Options",
        "import dev.flinfer.engine.*;\npublic class Options {\n  static void build() {\n%s  }\n}\n"
            .formatted(program.group(1)));
  }

  private void compile(String name, String text) throws IOException {
    Path source = Files.writeString(directory.resolve(name + ".java"), text);
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    int compiled =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                errors,
                "-cp",
                System.getProperty("java.class.path"),
                "-d",
                directory.toString(),
                source.toString());
    assertThat(compiled).as("%s", errors).isZero();
  }

  private String run(String... args) throws Exception {
    PrintStream out = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    try (URLClassLoader loader =
        new URLClassLoader(new URL[] {directory.toUri().toURL()}, getClass().getClassLoader())) {
      System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
      loader
          .loadClass("Example")
          .getMethod("main", String[].class)
          .invoke(null, new Object[] {args});
    } finally {
      System.setOut(out);
    }
    return printed.toString(StandardCharsets.UTF_8);
  }
}
