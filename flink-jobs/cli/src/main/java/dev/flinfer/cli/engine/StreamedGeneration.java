package dev.flinfer.cli.engine;

import dev.flinfer.cli.UserError;
import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.io.PrintStream;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** Completes one prompt and prints the text as it is generated. */
final class StreamedGeneration {
  private sealed interface Event permits Piece, Finished, Failed {}

  private record Piece(String text) implements Event {}

  private record Finished(Completion completion) implements Event {}

  private record Failed(RuntimeException failure) implements Event {}

  private final LlmEngine engine;

  StreamedGeneration(LlmEngine engine) {
    this.engine = engine;
  }

  /** Prints until the request is finished. */
  void run(CompletionRequest request, PrintStream out) {
    // The engine's thread must not wait for a slow reader of standard output.
    BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    engine.submit(request, GeneratedTokens.NONE, listener(events));
    StringBuilder printed = new StringBuilder();
    try {
      while (true) {
        Event event = events.take();
        if (event instanceof Piece piece) {
          printed.append(piece.text);
          out.print(piece.text);
          out.flush();
        } else if (event instanceof Finished finished) {
          printRest(finished.completion.getText(), printed, out);
          return;
        } else if (event instanceof Failed failed) {
          throw failed.failure;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UserError("interrupted", e);
    }
  }

  /**
   * Prints the end of the text, which the engine holds back while a stop string may begin there.
   */
  private static void printRest(String text, StringBuilder printed, PrintStream out) {
    if (text.length() > printed.length() && text.startsWith(printed.toString())) {
      out.print(text.substring(printed.length()));
    }
    out.println();
  }

  private static GenerationListener listener(BlockingQueue<Event> events) {
    return new GenerationListener() {
      @Override
      public void onToken(int token, String text) {
        events.add(new Piece(text));
      }

      @Override
      public void onCompletion(Completion completion) {
        events.add(new Finished(completion));
      }

      @Override
      public void onInvalid(InvalidRequestException why) {
        events.add(new Failed(why));
      }

      @Override
      public void onFailure(EngineException failure) {
        events.add(new Failed(failure));
      }
    };
  }
}
