package dev.flinfer.engine.sampling;

import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.TinyEngine;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** An engine with a small random model, which all tests of a class share. */
abstract class OneTinyEngine {
  @TempDir private static Path directory;
  private static LlmEngine engine;

  @BeforeAll
  static void open() {
    TinyEngine.write(directory);
    engine = TinyEngine.open(directory, 8);
  }

  @AfterAll
  static void close() {
    engine.close();
  }

  static Completion get(CompletionRequest.Builder request) throws Exception {
    return submit(request.build(), GeneratedTokens.NONE);
  }

  static Completion submit(CompletionRequest request, GeneratedTokens from) throws Exception {
    return TinyEngine.get(engine, request, from);
  }
}
