package dev.flinfer.engine;

import dev.flinfer.engine.cpu.CpuBackend;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

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
    if (!Set.of("auto", "cpu").contains(given.device())) {
      throw new IllegalArgumentException(
          "device %s is not there; no backend for it is on the class path"
              .formatted(given.device()));
    }
    Backend backend = new CpuBackend();
    EngineOptions options = forDevice(resolved(given, config), CpuBackend.DEVICE);
    int blocks = new DeviceFit(backend, CpuBackend.DEVICE, config, weights).kvBlocks(options);
    ForwardPass forward = backend.open(CpuBackend.DEVICE, config, weights, options, blocks);
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
        config.eosTokenIds(),
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

  /** With types that the device has. */
  static EngineOptions forDevice(EngineOptions options, DeviceInfo device) {
    if (options.weightType() != null && !device.weightTypes().contains(options.weightType())) {
      throw new IllegalArgumentException(
          "weights is %s; device %s has auto, %s"
              .formatted(options.weights(), device.id(), names(device.weightTypes())));
    }
    if (options.kvCacheType() == null) {
      boolean half = device.kvCacheTypes().contains(KvCacheType.F16);
      return options.toBuilder().kvCacheType(half ? KvCacheType.F16 : KvCacheType.F32).build();
    }
    if (!device.kvCacheTypes().contains(options.kvCacheType())) {
      throw new IllegalArgumentException(
          "kv_cache_dtype is %s; device %s has auto, %s"
              .formatted(options.kvCacheDtype(), device.id(), names(device.kvCacheTypes())));
    }
    return options;
  }

  private static String names(Set<? extends Enum<?>> types) {
    return types.stream()
        .sorted(Comparator.comparing(Enum::ordinal))
        .map(type -> type.name().toLowerCase(Locale.ROOT))
        .collect(Collectors.joining(", "));
  }
}
