package dev.flinfer.engine;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** The outcome of a request; cancelling it takes the request out of the engine. */
final class CompletionFuture extends CompletableFuture<Completion> implements GenerationListener {
  private final Consumer<String> onText;
  private volatile Generation generation;

  private CompletionFuture(Consumer<String> onText) {
    this.onText = onText;
  }

  static CompletionFuture submit(
      LlmEngine engine, CompletionRequest request, Consumer<String> onText) {
    CompletionFuture future = new CompletionFuture(onText);
    future.generation = engine.submit(request, GeneratedTokens.NONE, future);
    return future;
  }

  @Override
  public boolean cancel(boolean mayInterruptIfRunning) {
    generation.cancel();
    return super.cancel(mayInterruptIfRunning);
  }

  @Override
  public void onToken(int token, String text) {
    emit(text);
  }

  @Override
  public void onCompletion(Completion completion) {
    if (completion.getFinishReason() == FinishReason.CHOICE) {
      emit(completion.getText());
    }
    complete(completion);
  }

  @Override
  public void onInvalid(InvalidRequestException why) {
    completeExceptionally(why);
  }

  @Override
  public void onRequestFailed(RequestFailedException failure) {
    completeExceptionally(failure);
  }

  @Override
  public void onFailure(EngineException failure) {
    completeExceptionally(failure);
  }

  @Override
  public void onClose(EngineException closed) {
    completeExceptionally(closed);
  }

  private void emit(String text) {
    if (text.isEmpty() || isDone()) {
      return;
    }
    try {
      onText.accept(text);
    } catch (RuntimeException e) {
      // The caller's code must not end the engine and with it all other requests.
      completeExceptionally(e);
      Generation started = generation;
      if (started != null) {
        started.cancel();
      }
    }
  }
}
