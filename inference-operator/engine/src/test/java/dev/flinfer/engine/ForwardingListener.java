package dev.flinfer.engine;

import dev.flinfer.schema.Completion;

/** A listener that passes every call on to another one; subclasses override what differs. */
public abstract class ForwardingListener implements GenerationListener {
  private final GenerationListener delegate;

  protected ForwardingListener(GenerationListener delegate) {
    this.delegate = delegate;
  }

  @Override
  public boolean streams() {
    return delegate.streams();
  }

  @Override
  public void onToken(int token, String text) {
    delegate.onToken(token, text);
  }

  @Override
  public void onCompletion(Completion completion) {
    delegate.onCompletion(completion);
  }

  @Override
  public int maxAttempts() {
    return delegate.maxAttempts();
  }

  @Override
  public void onRequestFailed(RequestFailedException failure) {
    delegate.onRequestFailed(failure);
  }

  @Override
  public void onFailure(EngineException failure) {
    delegate.onFailure(failure);
  }

  @Override
  public void onClose(EngineException closed) {
    delegate.onClose(closed);
  }
}
