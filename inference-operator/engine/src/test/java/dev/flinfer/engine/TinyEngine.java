package dev.flinfer.engine;

import dev.flinfer.engine.weights.DType;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** An engine with a small random model that has 300 tokens and a context of 96. */
public final class TinyEngine {
  private static final RandomCheckpoint.Shape SHAPE =
      new RandomCheckpoint.Shape(48, 4, 2, 96, 300, 96, 0.5);

  private TinyEngine() {}

  public static void write(Path directory) {
    RandomCheckpoint.write(directory.resolve("tiny"), SHAPE, DType.F16, 11);
  }

  public static LlmEngine open(Path directory, int maxNumSeqs) {
    return LlmEngine.open(TestOptions.cpu(directory.resolve("tiny"), maxNumSeqs, 64, 2));
  }

  public static Completion get(LlmEngine engine, CompletionRequest request, GeneratedTokens from)
      throws Exception {
    return Requests.submit(engine, request, from).get(60, TimeUnit.SECONDS);
  }
}
