package dev.flinfer.engine.device;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * How a model is laid into the memory of a device, decided before anything is allocated.
 *
 * @param device of {@code backend}
 */
record DeviceFit(Backend backend, DeviceInfo device, PhiConfig config, PhiWeights weights) {

  /** What the KV cache takes at most unless told otherwise. */
  private static final long DEFAULT_KV_CACHE_BYTES = 4L << 30;

  /** A share that drivers keep for their own: contexts, compiled kernels, gaps. */
  private static final int RESERVED_PARTS = 20;

  /** Shorter contexts are not worth to be proposed. */
  private static final int SHORTEST_CONTEXT = 256;

  /** Rows that a step has at least in what is proposed. */
  private static final int FEWEST_ROWS = 64;

  /** The least that runs: blocks for one sequence of {@code max_model_len}. */
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
    long blockBytes = need.plan().kvBlockBytes();
    int one = need.oneSequence();
    if (!need.holds(device)) {
      throw new IllegalArgumentException(tooLarge(need, options));
    }
    if (options.kvCacheBytes() == 0) {
      long all = (long) one * options.maxNumSeqs();
      long most = Math.min(DEFAULT_KV_CACHE_BYTES / blockBytes, need.fits());
      return (int) Math.max(one, Math.min(all, most));
    }
    long given = options.kvCacheBytes() / blockBytes;
    if (given < one) {
      throw new IllegalArgumentException(
          ("kv_cache_memory is %d bytes, room for %d tokens; one sequence of max_model_len %d needs"
                  + " %d bytes. Give it more, or lower max_model_len")
              .formatted(
                  options.kvCacheBytes(),
                  given * ForwardPass.BLOCK_SIZE,
                  options.maxModelLen(),
                  need.sequenceBytes()));
    }
    long room = free(need.plan());
    if (given > room / blockBytes) {
      throw new IllegalArgumentException(
          "kv_cache_memory is %d bytes; device %s has %d bytes left beside %s of weights and %s of activations"
              .formatted(
                  options.kvCacheBytes(),
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
    return new Need(plan, ForwardPass.blocksFor(options.maxModelLen()), fits);
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
                + " sequence of max_model_len %d %s; the largest allocation %s. Of its %s of memory"
                + " %s can be used, %s in one allocation, which holds %d KV blocks")
            .formatted(
                device.id(),
                device.name(),
                size(plan.weightBytes()),
                size(plan.scratchBytes()),
                options.maxModelLen(),
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

  /** A change of the options, by its name. */
  private record Change(String name, UnaryOperator<EngineOptions> apply) {}

  /** What makes it fit: each change that does by itself, else all together. */
  private List<String> wayOut(EngineOptions options) {
    List<Change> changes = changes(options);
    List<String> enough =
        changes.stream().filter(c -> holds(c.apply().apply(options))).map(Change::name).toList();
    List<String> found = new ArrayList<>(enough);
    for (int length = options.maxModelLen() / 2; length >= SHORTEST_CONTEXT; length /= 2) {
      if (holds(options.toBuilder().maxModelLen(length).build())) {
        found.add("max_model_len " + length);
        break;
      }
    }
    if (found.isEmpty()) {
      EngineOptions all = options;
      for (Change change : changes) {
        all = change.apply().apply(all);
      }
      if (holds(all)) {
        found.add(changes.stream().map(Change::name).collect(Collectors.joining(" and ")));
      }
    }
    return found;
  }

  private List<Change> changes(EngineOptions options) {
    List<Change> changes = new ArrayList<>();
    if (options.weightType() != DType.Q8_0 && device.weightTypes().contains(DType.Q8_0)) {
      changes.add(new Change("weights q8_0", o -> o.toBuilder().weights("q8_0").build()));
    }
    if (options.kvCacheType() == KvCacheType.F32
        && device.kvCacheTypes().contains(KvCacheType.F16)) {
      changes.add(new Change("kv_cache_dtype f16", o -> o.toBuilder().kvCacheDtype("f16").build()));
    }
    int rows = Math.max(FEWEST_ROWS, options.maxNumSeqs());
    if (rows < options.maxNumBatchedTokens()) {
      changes.add(
          new Change(
              "max_num_batched_tokens " + rows,
              o -> o.toBuilder().maxNumBatchedTokens(rows).build()));
    }
    return changes;
  }

  private boolean holds(EngineOptions options) {
    return need(options).holds(device);
  }

  /**
   * The options with types that the device has.
   *
   * @throws IllegalArgumentException if one was named that it has not
   */
  static EngineOptions withTypesOf(DeviceInfo device, EngineOptions options) {
    DType type = options.weightType();
    if (type != null && !device.weightTypes().contains(type)
        || options.w8a8() && !device.id().equals("cpu")) {
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

  /** Bytes for people. */
  static String size(long bytes) {
    return bytes < 10L << 20
        ? String.format(Locale.ROOT, "%.1f KiB", bytes / 1024.0)
        : bytes < 10L << 30
            ? String.format(Locale.ROOT, "%.0f MiB", bytes / 1048576.0)
            : String.format(Locale.ROOT, "%.1f GiB", bytes / 1073741824.0);
  }
}
