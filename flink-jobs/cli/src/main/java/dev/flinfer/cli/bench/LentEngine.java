package dev.flinfer.cli.bench;

import dev.flinfer.engine.ForwardingEngine;
import dev.flinfer.engine.LlmEngine;

/** An engine whose lender closes it. */
final class LentEngine extends ForwardingEngine {
  LentEngine(LlmEngine engine) {
    super(engine);
  }

  @Override
  public void close() {
    // stays open
  }
}
