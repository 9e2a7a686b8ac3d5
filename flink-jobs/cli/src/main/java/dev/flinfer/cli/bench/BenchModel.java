package dev.flinfer.cli.bench;

import dev.flinfer.cli.Models;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which model is measured: one of these options. */
final class BenchModel {
  @Option(
      names = "--model",
      paramLabel = "PATH",
      description = "GGUF file, or model directory in Hugging Face's layout.")
  private Path model;

  @Option(
      names = "--random",
      paramLabel = "NAME",
      description = "Random weights in the shape of phi-1, phi-1.5 or phi-2.")
  private String random;

  boolean isRandom() {
    return random != null;
  }

  /** As {@code EngineOptions} takes it. */
  Path path() {
    return isRandom() ? Path.of("random:" + random) : Models.path(model);
  }
}
