package dev.flinfer.engine;

import static dev.flinfer.engine.EngineOption.DEVICE;
import static dev.flinfer.engine.EngineOption.ENABLE_PREFIX_CACHING;
import static dev.flinfer.engine.EngineOption.KV_CACHE_DTYPE;
import static dev.flinfer.engine.EngineOption.KV_CACHE_MEMORY;
import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;
import static dev.flinfer.engine.EngineOption.MAX_NUM_SEQS;
import static dev.flinfer.engine.EngineOption.THREADS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.cpu.CpuForwardPass;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Batch invariance: a request gets bit-identical results by itself and in any batch, with any
 * chunking, prefix cache, number of KV blocks and number of threads. Requests and combinations are
 * random.
 */
final class BatchInvarianceTest {
  private static final int REQUESTS = 40;
  private static final int ROUNDS = 4;

  @TempDir static Path directory;

  @BeforeAll
  static void write() {
    TinyEngine.write(directory);
  }

  @ParameterizedTest
  @EnumSource(KvCacheType.class)
  void completionsAreTheSameBitsInAnyBatch(KvCacheType type) throws Exception {
    Random random = new Random(3 + type.ordinal());
    List<CompletionRequest> requests = requests(random);
    List<Completion> alone = new ArrayList<>();
    try (LlmEngine engine = LlmEngine.open(options(type, 1, 96, 1000, false, 1))) {
      for (CompletionRequest request : requests) {
        alone.add(Requests.bits(TinyEngine.get(engine, request, GeneratedTokens.NONE)));
      }
    }
    long preemptions = 0;
    long prefixCacheHits = 0;
    for (int round = 0; round < ROUNDS; round++) {
      int seqs = 2 + random.nextInt(12);
      int batchedTokens = seqs + random.nextInt(40);
      // From little more than one sequence needs, so that sequences are preempted, to plenty.
      int blocks = 7 + 10 * round;
      boolean prefixCaching = (round + type.ordinal()) % 2 == 0;
      EngineOptions options =
          options(type, seqs, batchedTokens, blocks, prefixCaching, 1 + random.nextInt(3));
      try (LlmEngine engine = LlmEngine.open(options)) {
        List<CompletableFuture<Completion>> together =
            requests.stream().map(r -> Requests.submit(engine, r, GeneratedTokens.NONE)).toList();
        for (int i = 0; i < REQUESTS; i++) {
          assertThat(Requests.bits(together.get(i).get(60, TimeUnit.SECONDS)))
              .as("%s of %s", requests.get(i), options)
              .isEqualTo(alone.get(i));
        }
        preemptions += engine.stats().preemptions();
        prefixCacheHits += engine.stats().prefixCacheHits();
      }
    }
    assertThat(preemptions).isPositive();
    assertThat(prefixCacheHits).isPositive();
  }

  /** The random requests include every kind. */
  @Test
  void theRequestsIncludeAllKinds() {
    List<CompletionRequest> all = new ArrayList<>();
    for (KvCacheType type : KvCacheType.values()) {
      all.addAll(requests(new Random(3 + type.ordinal())));
    }
    assertThat(all)
        .anyMatch(r -> !r.getChoices().isEmpty())
        .anyMatch(r -> r.getN() > 1)
        .anyMatch(r -> r.getTemperature() == 0 && r.getChoices().isEmpty())
        .anyMatch(r -> r.getStructuredOutputs() != null)
        .anyMatch(r -> r.getStructuredOutputs() != null && r.getN() > 1);
  }

  private static List<CompletionRequest> requests(Random random) {
    List<CompletionRequest> requests = new ArrayList<>();
    for (int i = 0; i < REQUESTS; i++) {
      requests.add(Requests.ofAnyKind(random, "r" + i));
    }
    return requests;
  }

  private static EngineOptions options(
      KvCacheType type,
      int maxNumSeqs,
      int batchedTokens,
      int blocks,
      boolean prefixCaching,
      int threads) {
    Path model = directory.resolve("tiny");
    long blockBytes = CpuForwardPass.kvBlockBytes(PhiConfig.load(model), type);
    return EngineOptions.builder(model.toString())
        .set(DEVICE, DeviceSpecifier.CPU)
        .set(MAX_NUM_SEQS, maxNumSeqs)
        .set(MAX_NUM_BATCHED_TOKENS, batchedTokens)
        .set(KV_CACHE_MEMORY, blocks * blockBytes)
        .set(ENABLE_PREFIX_CACHING, prefixCaching)
        .set(THREADS, threads)
        .parse(KV_CACHE_DTYPE, type.toString())
        .build();
  }
}
