package dev.flinfer.flink;

import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.SharedEngines;

/** The one place for engines of a process: a second copy of the weights would not fit a device. */
final class ProcessEngines {
  static final SharedEngines ENGINES = new SharedEngines(LlmEngine::open);

  private ProcessEngines() {}
}
