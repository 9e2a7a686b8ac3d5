package dev.flinfer.flink;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.SharedEngines;
import java.io.Serializable;

/** Gives a subtask its engine. Is serialized and sent to the TaskManagers with the job. */
@FunctionalInterface
public interface EngineSupplier extends Serializable {

  /**
   * Called once by each subtask when it opens, possibly by many at the same time. The subtask
   * closes the returned engine once.
   */
  LlmEngine acquire(EngineOptions options);

  /** The engines of this process: subtasks with equal options share one. */
  static EngineSupplier shared() {
    return options -> SharedEngines.ofProcess().acquire(options);
  }
}
