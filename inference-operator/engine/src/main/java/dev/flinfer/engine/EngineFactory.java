package dev.flinfer.engine;

import dev.flinfer.engine.cpu.CpuForwardPass;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.engine.weights.Safetensors;
import dev.flinfer.engine.weights.WeightFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Map;

/** Puts an engine together from a model directory. */
final class EngineFactory {
  /** What the KV cache takes at most unless told otherwise. */
  private static final long DEFAULT_KV_CACHE_BYTES = 4L << 30;

  private EngineFactory() {}

  static LlmEngine open(EngineOptions options) {
    Path model = Path.of(options.model()).toAbsolutePath().normalize();
    PhiConfig config = PhiConfig.load(model);
    Tokenizer tokenizer = Tokenizer.load(model);
    int maxModelLen = maxModelLen(options, config);
    int blocks = kvBlocks(options, config, maxModelLen);
    int threads =
        options.threads() > 0 ? options.threads() : Runtime.getRuntime().availableProcessors();
    Safetensors files = Safetensors.open(model);
    try {
      PhiWeights weights = PhiWeights.of(files, config);
      ForwardPass forward =
          new CpuForwardPass(config, weights, blocks, options.maxNumBatchedTokens(), threads);
      ModelInfo info =
          new ModelInfo(
              model.getFileName().toString(),
              digest(model, files.headers()),
              forward.device(),
              maxModelLen,
              config.vocabSize());
      return new BatchingEngine(
          forward, files, tokenizer, config.eosTokenIds(), info, options, InstantSource.system());
    } catch (RuntimeException e) {
      files.close();
      throw e;
    }
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
    long blockBytes = CpuForwardPass.kvBlockBytes(config);
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

  private static String digest(Path model, Map<String, byte[]> headers) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(Files.readAllBytes(model.resolve("config.json")));
      digest.update(Files.readAllBytes(model.resolve("tokenizer.json")));
      headers.forEach(
          (file, header) -> {
            digest.update(file.getBytes(StandardCharsets.UTF_8));
            digest.update(header);
          });
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new WeightFileException(model, "cannot be read: " + e, e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }
}
