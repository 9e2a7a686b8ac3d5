package dev.flinfer.engine;

import dev.flinfer.engine.cpu.CpuForwardPass;
import dev.flinfer.engine.cpu.CpuOptions;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import java.time.InstantSource;

/** Puts an engine together from a model's files. */
final class EngineFactory {
  /** What the KV cache takes at most unless told otherwise. */
  private static final long DEFAULT_KV_CACHE_BYTES = 4L << 30;

  private EngineFactory() {}

  static LlmEngine open(EngineOptions options) {
    ModelFiles files = ModelFiles.open(options.model());
    try {
      return open(options, files);
    } catch (RuntimeException e) {
      files.close();
      throw e;
    }
  }

  private static LlmEngine open(EngineOptions options, ModelFiles files) {
    PhiConfig config = files.config();
    int maxModelLen = maxModelLen(options, config);
    int blocks = kvBlocks(options, config, maxModelLen);
    int threads =
        options.threads() > 0 ? options.threads() : Runtime.getRuntime().availableProcessors();
    PhiWeights weights = PhiWeights.of(files.checkpoint(), config);
    ForwardPass forward =
        new CpuForwardPass(
            config,
            weights,
            new CpuOptions(
                blocks,
                options.kvCacheType(),
                options.maxNumBatchedTokens(),
                threads,
                options.weightType()));
    ModelInfo info =
        new ModelInfo(
            files.name(), files.digest(), forward.device(), maxModelLen, config.vocabSize());
    return new BatchingEngine(
        forward,
        files.checkpoint(),
        files.tokenizer(),
        config.eosTokenIds(),
        info,
        options,
        InstantSource.system());
  }

  private static int maxModelLen(EngineOptions options, PhiConfig config) {
    int limit = config.maxPositionEmbeddings();
    if (options.maxModelLen() > limit) {
      throw new IllegalArgumentException(
          "max_model_len is %d; the model's max_position_embeddings is %d"
              .formatted(options.maxModelLen(), limit));
    }
    return options.maxModelLen() > 0 ? options.maxModelLen() : limit;
  }

  /** Never more than all sequences can use, never less than one sequence needs. */
  private static int kvBlocks(EngineOptions options, PhiConfig config, int maxModelLen) {
    long blockBytes = CpuForwardPass.kvBlockBytes(config, options.kvCacheType());
    int one = Scheduler.blocksFor(maxModelLen);
    long all = (long) one * options.maxNumSeqs();
    if (options.kvCacheBytes() == 0) {
      return (int) Math.max(one, Math.min(all, DEFAULT_KV_CACHE_BYTES / blockBytes));
    }
    long given = options.kvCacheBytes() / blockBytes;
    if (given < one) {
      throw new IllegalArgumentException(
          ("kv_cache_memory is %d bytes, room for %d tokens; one sequence of max_model_len %d needs"
                  + " %d bytes. Give it more, or lower max_model_len")
              .formatted(
                  options.kvCacheBytes(),
                  given * ForwardPass.BLOCK_SIZE,
                  maxModelLen,
                  one * blockBytes));
    }
    return (int) Math.min(given, Integer.MAX_VALUE / ForwardPass.BLOCK_SIZE);
  }
}
