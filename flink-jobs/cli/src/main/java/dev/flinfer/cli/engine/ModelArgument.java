package dev.flinfer.cli.engine;

import dev.flinfer.cli.Models;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The {@code --model} of a command that cannot do without. */
final class ModelArgument {
  @Option(names = "--model", paramLabel = "PATH", required = true, description = Models.DESCRIPTION)
  private Path path;

  /** Returns the path, which is that of a file or of a directory that looks like a model. */
  Path path() {
    return Models.path(path);
  }
}
