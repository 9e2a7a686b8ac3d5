package dev.flinfer.engine;

import static dev.flinfer.engine.EngineOption.DEVICE;
import static dev.flinfer.engine.EngineOption.KV_CACHE_DTYPE;
import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;
import static dev.flinfer.engine.EngineOption.MAX_NUM_SEQS;
import static dev.flinfer.engine.EngineOption.THREADS;

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
    return LlmEngine.open(
        EngineOptions.builder(directory.resolve("tiny").toString())
            .set(DEVICE, DeviceSpecifier.CPU)
            .set(MAX_NUM_SEQS, maxNumSeqs)
            .set(MAX_NUM_BATCHED_TOKENS, 64)
            .set(THREADS, 2)
            .set(KV_CACHE_DTYPE, KvCacheDtype.F32)
            .build());
  }

  public static Completion get(LlmEngine engine, CompletionRequest request, GeneratedTokens from)
      throws Exception {
    return Requests.submit(engine, request, from).get(60, TimeUnit.SECONDS);
  }
}
