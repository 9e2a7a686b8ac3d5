package dev.flinfer.cli.bench;

import dev.flinfer.engine.ForwardingEngine;
import dev.flinfer.engine.LlmEngine;

/** An engine that its owner closes, not its user. */
final class LentEngine extends ForwardingEngine {
  LentEngine(LlmEngine engine) {
    super(engine);
  }

  @Override
  public void close() {
    // the owner closes it
  }
}
