package dev.flinfer.engine.batching;

import static dev.flinfer.engine.EngineOption.MAX_MODEL_LEN;
import static dev.flinfer.engine.EngineOption.MAX_NUM_SEQS;
import static dev.flinfer.engine.EngineOption.THREADS;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.EngineProvider;
import dev.flinfer.engine.InvalidOptionException;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.ModelFiles;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.device.Devices;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.FreeForwardPass;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;

/** Assembles an engine from a model's files. {@link EngineProvider#find} finds this class. */
public final class BatchingEngineProvider implements EngineProvider {

  @Override
  public LlmEngine open(EngineOptions options) {
    ModelFiles files = ModelFiles.open(options.model());
    try {
      return open(options, files);
    } catch (RuntimeException e) {
      files.close();
      throw e;
    }
  }

  @Override
  public LlmEngine openFree(EngineOptions given) {
    ModelFiles files = ModelFiles.open(given.model());
    try {
      PhiConfig config = files.config();
      EngineOptions options = resolved(given, config);
      int blocks = options.get(MAX_NUM_SEQS) * ForwardPass.blocksFor(options.get(MAX_MODEL_LEN));
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
    ModelInfo info =
        new ModelInfo(
            files.name(),
            files.digest(),
            forward.device(),
            options.get(MAX_MODEL_LEN),
            files.config().vocabSize());
    ServedModel model = new ServedModel(info, files.tokenizer(), files.eosTokenIds());
    return new BatchingEngine(forward, files.checkpoint(), model, options, EngineClock.system());
  }

  /** The options with the defaults that depend on the model and the machine filled in. */
  private static EngineOptions resolved(EngineOptions options, PhiConfig config) {
    int limit = config.maxPositionEmbeddings();
    int length = options.get(MAX_MODEL_LEN);
    if (length > limit) {
      throw new InvalidOptionException(
          "%s is %d; the model's max_position_embeddings, %d, is the maximum"
              .formatted(options.names().of(MAX_MODEL_LEN), length, limit));
    }
    int threads = options.get(THREADS);
    int cores = Runtime.getRuntime().availableProcessors();
    return options.toBuilder()
        .set(MAX_MODEL_LEN, length > 0 ? length : limit)
        .set(THREADS, threads > 0 ? threads : cores)
        .build();
  }
}
