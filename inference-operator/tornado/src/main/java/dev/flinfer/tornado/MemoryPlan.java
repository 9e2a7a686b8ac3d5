package dev.flinfer.tornado;

import static dev.flinfer.engine.EngineOption.KV_CACHE_DTYPE;
import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;
import static dev.flinfer.engine.EngineOption.WEIGHTS;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.device.DeviceInfo;
import dev.flinfer.engine.device.DevicePlan;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import java.util.Map;

/** What a model takes on a device: computed from shapes, before anything is allocated. */
final class MemoryPlan {
  /** Kernels count elements in an int. */
  private static final long MOST_ELEMENTS = Integer.MAX_VALUE;

  private MemoryPlan() {}

  /**
   * @throws IllegalArgumentException if an array would have more elements than one can have, or
   *     heads are too wide for the kernels
   */
  static DevicePlan of(
      DeviceInfo device, PhiConfig config, PhiWeights weights, EngineOptions options) {
    Settings settings = Settings.of(device, options, 1);
    DeviceWeights.Types types = DeviceWeights.Types.of(weights, settings);
    Shape shape = TornadoForwardPass.shape(config, types, settings);
    if (shape.headDim() > AttentionKernel.THREADS) {
      throw new IllegalArgumentException(
          "heads of %d dimensions; device %s takes at most %d. Run this model on cpu"
              .formatted(shape.headDim(), device.id(), AttentionKernel.THREADS));
    }
    int layers = shape.layers();
    int hidden = shape.hiddenStride();
    int in = shape.projectedStride();
    int mixed = shape.mixedStride();
    long embedding = (long) config.vocabSize() * shape.hidden();
    long largestIn = DeviceMatrix.largest(types.in(), layers, hidden, in);
    long largestOut = DeviceMatrix.largest(types.out(), layers, mixed, hidden);
    checkElements("the weights of q, k, v and fc1", largestIn);
    checkElements("the weights of dense and fc2", largestOut);
    checkElements("the embedding", embedding);
    Map.of(
            "attention's partial sums",
            Activations.partialElements(shape),
            "q, k, v and fc1",
            (long) shape.maxRows() * in)
        .forEach(
            (name, elements) ->
                checkElements(
                    "%s of %s %d"
                        .formatted(
                            name, options.names().of(MAX_NUM_BATCHED_TOKENS), shape.maxRows()),
                    elements));
    long floats =
        embedding
            + 2L * layers * shape.hidden()
            + 2L * shape.hidden()
            + (long) config.maxPositionEmbeddings() * config.rotaryDim();
    long weightBytes =
        DeviceMatrix.bytes(types.in(), layers, hidden, in)
            + DeviceMatrix.bytes(types.out(), layers, mixed, hidden)
            + DeviceMatrix.bytes(types.head(), 1, hidden, shape.vocabStride())
            + floats * Float.BYTES;
    long largest =
        Math.max(
            Math.max(
                largestIn * types.in().elementBytes(), largestOut * types.out().elementBytes()),
            Math.max(
                DeviceMatrix.elements(1, hidden, shape.vocabStride()) * types.head().elementBytes(),
                embedding * Float.BYTES));
    return new DevicePlan(
        weightBytes,
        Activations.bytes(shape),
        largest,
        2 * shape.kvBlockElements() * options.get(KV_CACHE_DTYPE).type().bytes(),
        (int) (MOST_ELEMENTS / shape.kvBlockElements()),
        options.get(WEIGHTS).type());
  }

  private static void checkElements(String name, long elements) {
    if (elements > MOST_ELEMENTS) {
      throw new IllegalArgumentException(
          "%s have %d elements; an array of TornadoVM has at most %d"
              .formatted(name, elements, MOST_ELEMENTS));
    }
  }
}
