package dev.flinfer.flink;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.RequestFailedException;
import dev.flinfer.schema.Completion;

/** Delegates every call to another listener; subclasses override what differs. */
abstract class ForwardingListener implements GenerationListener {
  private final GenerationListener listener;

  ForwardingListener(GenerationListener listener) {
    this.listener = listener;
  }

  @Override
  public boolean streams() {
    return listener.streams();
  }

  @Override
  public void onToken(int token, String text) {
    listener.onToken(token, text);
  }

  @Override
  public void onCompletion(Completion completion) {
    listener.onCompletion(completion);
  }

  @Override
  public int maxAttempts() {
    return listener.maxAttempts();
  }

  @Override
  public void onCompileStart() {
    listener.onCompileStart();
  }

  @Override
  public void onCompileEnd(Error error) {
    listener.onCompileEnd(error);
  }

  @Override
  public void onInvalid(InvalidRequestException why) {
    listener.onInvalid(why);
  }

  @Override
  public void onRequestFailed(RequestFailedException failure) {
    listener.onRequestFailed(failure);
  }

  @Override
  public void onFailure(EngineException failure) {
    listener.onFailure(failure);
  }

  @Override
  public void onClose(EngineException closed) {
    listener.onClose(closed);
  }
}
