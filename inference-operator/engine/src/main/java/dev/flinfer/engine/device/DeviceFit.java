package dev.flinfer.engine.device;

import static dev.flinfer.engine.EngineOption.CPU_PRODUCTS;
import static dev.flinfer.engine.EngineOption.KV_CACHE_DTYPE;
import static dev.flinfer.engine.EngineOption.KV_CACHE_MEMORY;
import static dev.flinfer.engine.EngineOption.MAX_MODEL_LEN;
import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;
import static dev.flinfer.engine.EngineOption.MAX_NUM_SEQS;
import static dev.flinfer.engine.EngineOption.WEIGHTS;

import dev.flinfer.engine.CpuProducts;
import dev.flinfer.engine.EngineOption;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.KvCacheDtype;
import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.OptionNames;
import dev.flinfer.engine.Weights;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * How the memory of a device is divided, decided before anything is allocated.
 *
 * @param device of {@code backend}
 */
record DeviceFit(Backend backend, DeviceInfo device, PhiConfig config, PhiWeights weights) {

  /** The maximum size of the KV cache where no size is given. */
  private static final long DEFAULT_KV_CACHE_BYTES = 4L << 30;

  /** The share that drivers keep for contexts, compiled kernels and gaps: one part of these. */
  private static final int RESERVED_PARTS = 20;

  /** Shorter contexts are not worth proposing. */
  private static final int SHORTEST_CONTEXT = 256;

  /** The minimum number of rows of a step that is proposed. */
  private static final int FEWEST_ROWS = 64;

  /** The minimum that runs: blocks for one sequence of {@code max_model_len}. */
  private record Need(DevicePlan plan, int oneSequence, long fits) {
    boolean holds(DeviceInfo device) {
      return fits >= oneSequence && plan.largestBytes() <= device.maxAllocationBytes();
    }

    long sequenceBytes() {
      return oneSequence * plan.kvBlockBytes();
    }
  }

  /**
   * Never more than all sequences can use, never less than one sequence needs.
   *
   * @throws IllegalArgumentException if the device has too little memory, with the numbers and with
   *     options that would fit
   */
  int kvBlocks(EngineOptions options) {
    Need need = need(options);
    if (!need.holds(device)) {
      throw new IllegalArgumentException(tooLarge(need, options));
    }
    if (options.get(KV_CACHE_MEMORY) > 0) {
      return givenKvBlocks(need, options);
    }
    int one = need.oneSequence();
    long all = (long) one * options.get(MAX_NUM_SEQS);
    long most = Math.min(DEFAULT_KV_CACHE_BYTES / need.plan().kvBlockBytes(), need.fits());
    return (int) Math.max(one, Math.min(all, most));
  }

  private int givenKvBlocks(Need need, EngineOptions options) {
    long blockBytes = need.plan().kvBlockBytes();
    long memory = options.get(KV_CACHE_MEMORY);
    long given = memory / blockBytes;
    if (given < need.oneSequence()) {
      throw new IllegalArgumentException(
          options
              .names()
              .resolve(
                  "{kv-cache-memory} is %d bytes, room for %d tokens; one sequence of {max-model-len}"
                      + " %d needs %d bytes. Give it more, or lower {max-model-len}")
              .formatted(
                  memory,
                  given * ForwardPass.BLOCK_SIZE,
                  options.get(MAX_MODEL_LEN),
                  need.sequenceBytes()));
    }
    long room = free(need.plan());
    if (given > room / blockBytes) {
      throw new IllegalArgumentException(
          "%s is %d bytes; device %s has %d bytes left beside %s of weights and %s of activations"
              .formatted(
                  options.names().of(KV_CACHE_MEMORY),
                  memory,
                  device.id(),
                  room,
                  size(need.plan().weightBytes()),
                  size(need.plan().scratchBytes())));
    }
    return (int) Math.min(given, need.fits());
  }

  private Need need(EngineOptions options) {
    DevicePlan plan = backend.plan(device, config, weights, options);
    long fits = Math.min(plan.maxKvBlocks(), free(plan) / plan.kvBlockBytes());
    return new Need(plan, ForwardPass.blocksFor(options.get(MAX_MODEL_LEN)), fits);
  }

  private long usable() {
    return device.memoryBytes() - device.memoryBytes() / RESERVED_PARTS;
  }

  private long free(DevicePlan plan) {
    return Math.max(0, usable() - plan.weightBytes() - plan.scratchBytes());
  }

  private String tooLarge(Need need, EngineOptions options) {
    DevicePlan plan = need.plan();
    String what =
        ("the model does not fit device %s (%s): weights %s, activations %s, keys and values of one"
                + " sequence of %s %d %s; the largest allocation %s. Of its %s of memory"
                + " %s can be used, %s in one allocation, which holds %d KV blocks")
            .formatted(
                device.id(),
                device.name(),
                size(plan.weightBytes()),
                size(plan.scratchBytes()),
                options.names().of(MAX_MODEL_LEN),
                options.get(MAX_MODEL_LEN),
                size(need.sequenceBytes()),
                size(plan.largestBytes()),
                size(device.memoryBytes()),
                size(usable()),
                size(device.maxAllocationBytes()),
                plan.maxKvBlocks());
    List<String> wayOut = wayOut(options);
    return wayOut.isEmpty()
        ? what + ". No options make it fit: take another device, or cpu"
        : what + ". It fits with " + String.join(", or with ", wayOut);
  }

  /** A change of an option. */
  private record Change<T extends Serializable>(EngineOption<T> option, T value) {
    EngineOptions apply(EngineOptions options) {
      return options.toBuilder().set(option, value).build();
    }

    String text(OptionNames names) {
      return names.of(option) + " " + option.format(value);
    }
  }

  /** The changes that make it fit: each that does by itself, or else all together. */
  private List<String> wayOut(EngineOptions options) {
    OptionNames names = options.names();
    List<Change<?>> changes = changes(options);
    List<String> found = new ArrayList<>();
    for (Change<?> change : changes) {
      if (holds(change.apply(options))) {
        found.add(change.text(names));
      }
    }
    for (int length = options.get(MAX_MODEL_LEN) / 2; length >= SHORTEST_CONTEXT; length /= 2) {
      Change<?> shorter = new Change<>(MAX_MODEL_LEN, length);
      if (holds(shorter.apply(options))) {
        found.add(shorter.text(names));
        break;
      }
    }
    if (found.isEmpty()) {
      EngineOptions all = options;
      for (Change<?> change : changes) {
        all = change.apply(all);
      }
      if (holds(all)) {
        found.add(changes.stream().map(c -> c.text(names)).collect(Collectors.joining(" and ")));
      }
    }
    return found;
  }

  private List<Change<?>> changes(EngineOptions options) {
    List<Change<?>> changes = new ArrayList<>();
    if (options.get(WEIGHTS) != Weights.Q8_0
        && options.get(CPU_PRODUCTS) != CpuProducts.ONEDNN // which has no q8_0
        && device.weightTypes().contains(DType.Q8_0)) {
      changes.add(new Change<>(WEIGHTS, Weights.Q8_0));
    }
    if (options.get(KV_CACHE_DTYPE) == KvCacheDtype.F32
        && device.kvCacheTypes().contains(KvCacheType.F16)) {
      changes.add(new Change<>(KV_CACHE_DTYPE, KvCacheDtype.F16));
    }
    int rows = Math.max(FEWEST_ROWS, options.get(MAX_NUM_SEQS));
    if (rows < options.get(MAX_NUM_BATCHED_TOKENS)) {
      changes.add(new Change<>(MAX_NUM_BATCHED_TOKENS, rows));
    }
    return changes;
  }

  private boolean holds(EngineOptions options) {
    return need(options).holds(device);
  }

  /**
   * The options with types that the device has.
   *
   * @throws IllegalArgumentException if a type is set that the device does not support
   */
  static EngineOptions withTypesOf(DeviceInfo device, EngineOptions options) {
    Weights weights = options.get(WEIGHTS);
    if (weights.type() != null && !device.weightTypes().contains(weights.type())
        || weights == Weights.W8A8 && !device.id().equals("cpu")) {
      throw missing(WEIGHTS, options, device, device.weightTypes());
    }
    KvCacheType kvCacheType = options.get(KV_CACHE_DTYPE).type();
    if (kvCacheType == null) {
      boolean half = device.kvCacheTypes().contains(KvCacheType.F16);
      KvCacheDtype suits = half ? KvCacheDtype.F16 : KvCacheDtype.F32;
      return options.toBuilder().set(KV_CACHE_DTYPE, suits).build();
    }
    if (!device.kvCacheTypes().contains(kvCacheType)) {
      throw missing(KV_CACHE_DTYPE, options, device, device.kvCacheTypes());
    }
    return options;
  }

  private static IllegalArgumentException missing(
      EngineOption<?> option,
      EngineOptions options,
      DeviceInfo device,
      Set<? extends Enum<?>> supported) {
    return new IllegalArgumentException(
        "%s is %s; device %s has auto, %s"
            .formatted(
                options.names().of(option), options.text(option), device.id(), names(supported)));
  }

  private static String names(Set<? extends Enum<?>> types) {
    return types.stream()
        .sorted(Comparator.comparing(Enum::ordinal))
        .map(type -> type.name().toLowerCase(Locale.ROOT))
        .collect(Collectors.joining(", "));
  }

  /** A number of bytes for display. */
  static String size(long bytes) {
    return bytes < 10L << 20
        ? String.format(Locale.ROOT, "%.1f KiB", bytes / 1024.0)
        : bytes < 10L << 30
            ? String.format(Locale.ROOT, "%.0f MiB", bytes / 1048576.0)
            : String.format(Locale.ROOT, "%.1f GiB", bytes / 1073741824.0);
  }
}
