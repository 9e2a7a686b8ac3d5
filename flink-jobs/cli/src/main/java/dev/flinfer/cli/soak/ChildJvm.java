package dev.flinfer.cli.soak;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The command line of a JVM like this one. */
final class ChildJvm {
  /** Flags of this JVM that the others must not have: their own memory, and no debugger. */
  private static final List<String> OWN =
      List.of(
          "-Xmx", "-Xms", "-XX:MaxRAMPercentage", "-Djava.io.tmpdir", "-agentlib", "-javaagent");

  private ChildJvm() {}

  /** Returns the flags of a JVM that computes with the model. */
  static List<String> withEngine(String heap) {
    return List.of("-Xmx" + heap);
  }

  /** Returns flags with which a JVM starts faster, and computes more slowly. */
  static List<String> small(String heap) {
    return List.of("-Xmx" + heap, "-XX:TieredStopAtLevel=1");
  }

  /**
   * Returns the command line.
   *
   * @param flags for its memory
   * @param temp directory for temporary files
   * @param args arguments of {@link SoakProcess}
   */
  static List<String> command(List<String> flags, Path temp, Object... args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(flag -> OWN.stream().noneMatch(flag::startsWith))
        .forEach(command::add);
    command.addAll(flags);
    command.add("-Djava.io.tmpdir=" + temp);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(SoakProcess.class.getName());
    Stream.of(args).map(Object::toString).forEach(command::add);
    return command;
  }
}
