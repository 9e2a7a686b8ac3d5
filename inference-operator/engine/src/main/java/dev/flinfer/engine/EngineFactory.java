package dev.flinfer.engine;

import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import java.time.InstantSource;

/** Puts an engine together from a model's files. */
final class EngineFactory {
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

  private static LlmEngine open(EngineOptions given, ModelFiles files) {
    PhiConfig config = files.config();
    PhiWeights weights = PhiWeights.of(files.checkpoint(), config);
    Devices.Opened opened = Devices.ofProcess().open(config, weights, resolved(given, config));
    ForwardPass forward = opened.forward();
    EngineOptions options = opened.options();
    ModelInfo info =
        new ModelInfo(
            files.name(),
            files.digest(),
            forward.device(),
            options.maxModelLen(),
            config.vocabSize());
    try {
      return new BatchingEngine(
          forward,
          files.checkpoint(),
          files.tokenizer(),
          files.eosTokenIds(),
          info,
          options,
          InstantSource.system());
    } catch (RuntimeException e) {
      forward.close();
      throw e;
    }
  }

  /** With what depends on the model and the machine filled in. */
  private static EngineOptions resolved(EngineOptions options, PhiConfig config) {
    int limit = config.maxPositionEmbeddings();
    if (options.maxModelLen() > limit) {
      throw new IllegalArgumentException(
          "max_model_len is %d; the model's max_position_embeddings is %d"
              .formatted(options.maxModelLen(), limit));
    }
    int cores = Runtime.getRuntime().availableProcessors();
    return options.toBuilder()
        .maxModelLen(options.maxModelLen() > 0 ? options.maxModelLen() : limit)
        .threads(options.threads() > 0 ? options.threads() : cores)
        .build();
  }
}
