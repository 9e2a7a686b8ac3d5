package dev.flinfer.tornado;

import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * The weights in the order that the kernels read, all layers of a kind in one array.
 *
 * @param embedding (vocab_size, hidden_size)
 * @param normWeight (num_layers, hidden_size), like {@code normBias}
 * @param in q, k, v and fc1
 * @param out dense and fc2
 * @param finalNormWeight (hidden_size), like {@code finalNormBias}
 * @param head lm_head, as one layer
 * @param rotary (max_position_embeddings, cos: rotary_dim / 2 | sin: rotary_dim / 2)
 */
record DeviceWeights(
    FloatArray embedding,
    FloatArray normWeight,
    FloatArray normBias,
    DeviceMatrix in,
    DeviceMatrix out,
    FloatArray finalNormWeight,
    FloatArray finalNormBias,
    DeviceMatrix head,
    FloatArray rotary) {

  /** The types of the three kinds of matrices. */
  record Types(MatrixType in, MatrixType out, MatrixType head) {
    /** Whether cuBLAS multiplies any of them. */
    boolean anyHalfRows() {
      return in == MatrixType.F16_ROWS || out == MatrixType.F16_ROWS || head == MatrixType.F16_ROWS;
    }

    static Types of(PhiWeights weights, Settings settings) {
      List<Tensor> in = new ArrayList<>();
      List<Tensor> out = new ArrayList<>();
      for (PhiWeights.Layer layer : weights.layers()) {
        in.addAll(
            List.of(
                layer.q().weight(), layer.k().weight(), layer.v().weight(), layer.fc1().weight()));
        out.addAll(List.of(layer.dense().weight(), layer.fc2().weight()));
      }
      return new Types(
          type(in, settings),
          type(out, settings),
          type(List.of(weights.lmHead().weight()), settings));
    }

    private static MatrixType type(List<Tensor> matrices, Settings settings) {
      DType type = MatrixPacker.typeOf(matrices, settings.weightType(), settings.hasHalf());
      return MatrixType.of(type, settings.cublas());
    }
  }

  static DeviceWeights load(Shape shape, PhiWeights weights, Types types, HostMemory memory) {
    PhiConfig config = shape.config();
    int layers = shape.layers();
    int width = shape.hidden();
    DeviceMatrix in =
        DeviceMatrix.allocate(
            memory, types.in, layers, shape.hiddenStride(), shape.projectedStride());
    DeviceMatrix out =
        DeviceMatrix.allocate(memory, types.out, layers, shape.mixedStride(), shape.hiddenStride());
    DeviceMatrix head =
        DeviceMatrix.allocate(memory, types.head, 1, shape.hiddenStride(), shape.vocabStride());
    FloatArray normWeight = memory.floats((long) layers * width);
    FloatArray normBias = memory.floats((long) layers * width);
    for (int i = 0; i < layers; i++) {
      PhiWeights.Layer layer = weights.layers().get(i);
      copy(layer.inputLayernorm().weight(), normWeight, i * width);
      copy(layer.inputLayernorm().bias(), normBias, i * width);
      new MatrixPacker(in, i)
          .put(layer.q(), 0, 0)
          .put(layer.k(), width, 0)
          .put(layer.v(), 2 * width, 0)
          .put(layer.fc1(), 3 * width, 0)
          .pack();
      new MatrixPacker(out, i)
          .put(layer.dense(), 0, 0)
          .put(layer.fc2(), 0, shape.hiddenStride())
          .pack();
    }
    new MatrixPacker(head, 0).put(weights.lmHead(), 0, 0).pack();
    FloatArray finalWeight = memory.floats(width);
    FloatArray finalBias = memory.floats(width);
    copy(weights.finalNorm().weight(), finalWeight, 0);
    copy(weights.finalNorm().bias(), finalBias, 0);
    return new DeviceWeights(
        embedding(weights.embedTokens(), config, memory),
        normWeight,
        normBias,
        in,
        out,
        finalWeight,
        finalBias,
        head,
        rotary(config, memory));
  }

  /** Whether each layer has its own arrays, so that a graph cannot be run again for another. */
  boolean unrolled() {
    return in.inHalfRows() || out.inHalfRows();
  }

  private static void copy(Tensor tensor, FloatArray target, int at) {
    float[] values = tensor.toFloats();
    for (int i = 0; i < values.length; i++) {
      target.set(at + i, values[i]);
    }
  }

  private static FloatArray embedding(Tensor tensor, PhiConfig config, HostMemory memory) {
    int width = config.hiddenSize();
    FloatArray target = memory.floats((long) config.vocabSize() * width);
    IntStream.range(0, config.vocabSize())
        .parallel()
        .forEach(
            token -> {
              float[] row = new float[width];
              tensor.copyFiniteTo((long) token * width, row);
              for (int i = 0; i < width; i++) {
                target.set(token * width + i, row[i]);
              }
            });
    return target;
  }

  private static FloatArray rotary(PhiConfig config, HostMemory memory) {
    int dim = config.rotaryDim();
    FloatArray table = memory.floats((long) config.maxPositionEmbeddings() * dim);
    for (int position = 0; position < config.maxPositionEmbeddings(); position++) {
      for (int i = 0; i < dim / 2; i++) {
        double angle = position * Math.pow(config.ropeTheta(), -2.0 * i / dim);
        table.set(position * dim + i, (float) Math.cos(angle));
        table.set(position * dim + dim / 2 + i, (float) Math.sin(angle));
      }
    }
    return table;
  }
}
