package dev.flinfer.cli.bench;

import dev.flinfer.engine.EngineStats;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.schema.CompletionRequest;

/** An engine that whoever lent it closes. */
final class LentEngine implements LlmEngine {
  private final LlmEngine engine;

  LentEngine(LlmEngine engine) {
    this.engine = engine;
  }

  @Override
  public Generation submit(
      CompletionRequest request, GeneratedTokens resumeFrom, GenerationListener listener) {
    return engine.submit(request, resumeFrom, listener);
  }

  @Override
  public ModelInfo model() {
    return engine.model();
  }

  @Override
  public EngineStats stats() {
    return engine.stats();
  }

  @Override
  public boolean failed() {
    return engine.failed();
  }

  @Override
  public void close() {
    // stays open
  }
}
