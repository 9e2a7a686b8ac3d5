package dev.flinfer.cli.bench;

import dev.flinfer.cli.Models;
import dev.flinfer.cli.UsageError;
import dev.flinfer.engine.model.RandomPhi;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The model to measure: exactly one of these options. */
final class BenchModel {
  @Option(names = "--model", paramLabel = "PATH", description = Models.DESCRIPTION)
  private Path model;

  @Option(
      names = "--random",
      paramLabel = "NAME",
      description = "Random weights in the shape of NAME: phi-1, phi-1.5 or phi-2.")
  private String random;

  boolean isRandom() {
    return random != null;
  }

  /** Returns the path for {@code EngineOptions}. */
  Path path() {
    if (!isRandom()) {
      return Models.path(model);
    }
    try {
      RandomPhi.config(random);
    } catch (IllegalArgumentException e) {
      throw new UsageError("--random: " + e.getMessage());
    }
    return Path.of("random:" + random);
  }
}
