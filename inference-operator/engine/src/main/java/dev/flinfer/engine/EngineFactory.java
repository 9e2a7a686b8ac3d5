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

  /** The engine of a model around a forward pass that costs nothing; its weights are not read. */
  static LlmEngine openFree(EngineOptions given) {
    ModelFiles files = ModelFiles.open(given.model());
    try {
      PhiConfig config = files.config();
      EngineOptions options = resolved(given, config);
      int blocks = options.maxNumSeqs() * Scheduler.blocksFor(options.maxModelLen());
      return engine(new FreeForwardPass(config.vocabSize(), blocks), files, options);
    } catch (RuntimeException e) {
      files.close();
      throw e;
    }
  }

  private static LlmEngine open(EngineOptions given, ModelFiles files) {
    PhiConfig config = files.config();
    PhiWeights weights = PhiWeights.of(files.checkpoint(), config);
    Devices.Opened opened = Devices.ofProcess().open(config, weights, resolved(given, config));
    try {
      return engine(opened.forward(), files, opened.options());
    } catch (RuntimeException e) {
      opened.forward().close();
      throw e;
    }
  }

  private static LlmEngine engine(ForwardPass forward, ModelFiles files, EngineOptions options) {
    PhiConfig config = files.config();
    ModelInfo info =
        new ModelInfo(
            files.name(),
            files.digest(),
            forward.device(),
            options.maxModelLen(),
            config.vocabSize());
    return new BatchingEngine(
        forward,
        files.checkpoint(),
        files.tokenizer(),
        files.eosTokenIds(),
        info,
        options,
        InstantSource.system());
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
