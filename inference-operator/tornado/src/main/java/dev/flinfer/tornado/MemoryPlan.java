package dev.flinfer.tornado;

import dev.flinfer.engine.DevicePlan;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import java.util.Map;

/** What a model takes on a device: computed from shapes, before anything is allocated. */
final class MemoryPlan {
  /** Kernels count elements in an int. */
  private static final long MOST_ELEMENTS = Integer.MAX_VALUE;

  private MemoryPlan() {}

  /**
   * @throws IllegalArgumentException if an array would have more elements than one can have
   */
  static DevicePlan of(PhiConfig config, PhiWeights weights, EngineOptions options) {
    Shape shape = Shape.of(config, options.maxNumBatchedTokens(), 1);
    DeviceWeights.Types types = DeviceWeights.Types.of(weights, options.weightType());
    int layers = shape.layers();
    int hidden = shape.hiddenStride();
    int in = shape.projectedStride();
    int mixed = shape.mixedStride();
    long embedding = (long) config.vocabSize() * shape.hidden();
    checkElements("the weights of q, k, v and fc1", DeviceMatrix.elements(layers, hidden, in));
    checkElements("the weights of dense and fc2", DeviceMatrix.elements(layers, mixed, hidden));
    checkElements("the embedding", embedding);
    Map.of(
            "attention's partial sums",
            Activations.partialElements(shape),
            "q, k, v and fc1",
            (long) shape.maxRows() * in)
        .forEach(
            (name, elements) ->
                checkElements(
                    "%s of max_num_batched_tokens %d".formatted(name, shape.maxRows()), elements));
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
                DeviceMatrix.weightBytes(types.in(), layers, hidden, in),
                DeviceMatrix.weightBytes(types.out(), layers, mixed, hidden)),
            Math.max(
                DeviceMatrix.weightBytes(types.head(), 1, hidden, shape.vocabStride()),
                embedding * Float.BYTES));
    return new DevicePlan(
        weightBytes,
        Activations.bytes(shape),
        largest,
        2 * shape.kvBlockElements() * Float.BYTES,
        (int) (MOST_ELEMENTS / shape.kvBlockElements()),
        options.weightType());
  }

  private static void checkElements(String name, long elements) {
    if (elements > MOST_ELEMENTS) {
      throw new IllegalArgumentException(
          "%s have %d elements; an array of TornadoVM has at most %d"
              .formatted(name, elements, MOST_ELEMENTS));
    }
  }
}
