package dev.flinfer.engine;

import dev.flinfer.schema.CompletionRequest;

/** An engine that delegates every call to another one; subclasses override what differs. */
public abstract class ForwardingEngine implements LlmEngine {
  private final LlmEngine delegate;

  /** Creates an engine that delegates to the given one. */
  protected ForwardingEngine(LlmEngine delegate) {
    this.delegate = delegate;
  }

  @Override
  public Generation submit(
      CompletionRequest request, GeneratedTokens resumeFrom, GenerationListener listener) {
    return delegate.submit(request, resumeFrom, listener);
  }

  @Override
  public ModelInfo model() {
    return delegate.model();
  }

  @Override
  public EngineStats stats() {
    return delegate.stats();
  }

  @Override
  public boolean failed() {
    return delegate.failed();
  }

  @Override
  public void close() {
    delegate.close();
  }
}
