import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.app.VelocityEngine;

/**
 * Renders Kernel.vm once for each file in weights/. The build runs it from its source; the
 * arguments are the directory of the templates and that of the generated package.
 */
final class GenerateKernels {
  private GenerateKernels() {}

  public static void main(String[] args) throws IOException {
    Path templates = Path.of(args[0]);
    Path target = Files.createDirectories(Path.of(args[1]));
    List<Path> stale = list(target);
    for (Path weights : list(templates.resolve("weights"))) {
      String name = weights.getFileName().toString().replace(".vm", "");
      Path kernel = target.resolve(name + "Kernel.java");
      String source = indent(render(templates, name));
      // A file that would not change is left alone, so that it is not compiled again.
      if (!stale.remove(kernel) || !Files.readString(kernel).equals(source)) {
        Files.writeString(kernel, source);
      }
    }
    for (Path kernel : stale) {
      Files.delete(kernel);
    }
  }

  private static List<Path> list(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().collect(Collectors.toList());
    }
  }

  private static String render(Path templates, String weights) {
    VelocityEngine engine = new VelocityEngine();
    engine.setProperty("resource.loader.file.path", templates.toString());
    engine.setProperty("runtime.strict_mode.enable", true);
    VelocityContext context = new VelocityContext();
    context.put("weights", weights);
    StringWriter out = new StringWriter();
    engine.getTemplate("Kernel.vm", "UTF-8").merge(context, out);
    return out.toString();
  }

  /** Indents by braces, and by four more what continues a statement. */
  private static String indent(String source) {
    StringBuilder out = new StringBuilder();
    int depth = 0;
    boolean blank = false;
    boolean continued = false;
    for (String line : source.strip().lines().map(String::strip).collect(Collectors.toList())) {
      if (line.isEmpty()) {
        blank = true;
        continue;
      }
      boolean end = line.startsWith("}");
      depth -= end ? 1 : 0;
      out.append(blank && !end ? "\n" : "");
      blank = false;
      out.append(" ".repeat(2 * depth + (line.startsWith("*") ? 1 : continued ? 4 : 0)));
      out.append(line).append('\n');
      depth += line.endsWith("{") ? 1 : 0;
      continued = !line.matches("(@|\\*|/).*|.*[;{}]");
    }
    return out.toString();
  }
}
