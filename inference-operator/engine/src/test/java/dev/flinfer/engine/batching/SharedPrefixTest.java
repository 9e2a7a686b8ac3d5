package dev.flinfer.engine.batching;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.Requests;
import dev.flinfer.engine.TestOptions;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.schema.Completion;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SharedPrefixTest {
  private static final int PREFIX = 500;
  private static final int CACHED = PREFIX / ForwardPass.BLOCK_SIZE * ForwardPass.BLOCK_SIZE;

  @TempDir private static Path directory;

  @Test
  void aLongPrefixIsComputedOnce() throws Exception {
    RandomCheckpoint.Shape shape = new RandomCheckpoint.Shape(48, 4, 2, 96, 300, 640, 0.5);
    RandomCheckpoint.write(directory.resolve("tiny"), shape, DType.F16, 11);
    StringBuilder prefix = new StringBuilder();
    new Random(5).ints(PREFIX, 'a', 'z' + 1).forEach(prefix::appendCodePoint);
    EngineOptions options = TestOptions.cpu(directory.resolve("tiny"), 4, 64, 2);
    try (LlmEngine engine = LlmEngine.open(options)) {
      Completion first = submit(engine, prefix + "0first").get(60, TimeUnit.SECONDS);
      assertThat(first.getPromptTokens()).isEqualTo(PREFIX + 6);
      assertThat(first.getCachedTokens()).isZero();

      List<CompletableFuture<Completion>> others =
          IntStream.range(1, 8).mapToObj(i -> submit(engine, prefix + (i + "other"))).toList();
      for (CompletableFuture<Completion> other : others) {
        Completion completion = other.get(60, TimeUnit.SECONDS);
        assertThat(completion.getPromptTokens()).isEqualTo(PREFIX + 6);
        assertThat(completion.getCachedTokens()).isEqualTo(CACHED);
      }
    }
  }

  private static CompletableFuture<Completion> submit(LlmEngine engine, String prompt) {
    return Requests.submit(
        engine, Requests.greedy(prompt, prompt, 3).build(), GeneratedTokens.NONE);
  }
}
