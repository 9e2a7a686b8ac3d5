package dev.flinfer.engine;

import static dev.flinfer.engine.EngineOption.CPU_PRODUCTS;
import static dev.flinfer.engine.EngineOption.WEIGHTS;

import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.model.PhiWeights.Affine;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The work that a model is for the CPU, to compare a speed with the machine's limits.
 *
 * @param weightBytes bytes of all matrices in the type in which they run; a forward pass reads them
 *     once, however many tokens it computes
 * @param flopsPerToken multiplications and additions with these matrices for one token whose logits
 *     are needed; attention, which grows with the context, is left out
 */
public record ModelSize(long weightBytes, long flopsPerToken) {
  private static final long FLOPS_PER_WEIGHT = 2;

  /** The size of the model as the CPU runs it with these options. Reads shapes, not weights. */
  public static ModelSize of(EngineOptions options) {
    try (ModelFiles files = ModelFiles.open(options.model())) {
      long bytes = 0;
      long elements = 0;
      PhiWeights weights = PhiWeights.of(files.checkpoint(), files.config());
      for (Tensor matrix : ofLayers(weights)) {
        elements += matrix.elements();
        bytes +=
            options.get(WEIGHTS) == Weights.W8A8
                ? matrix.elements()
                : typeOf(matrix, options).byteSize(matrix.elements());
      }
      Tensor head = weights.lmHead().weight(); // in bf16 with w8a8 too
      elements += head.elements();
      bytes += typeOf(head, options).byteSize(head.elements());
      return new ModelSize(bytes, FLOPS_PER_WEIGHT * elements);
    }
  }

  /** The matrices without the embedding, of which a token reads one row. */
  private static List<Tensor> ofLayers(PhiWeights weights) {
    List<Tensor> all = new ArrayList<>();
    for (PhiWeights.Layer layer : weights.layers()) {
      for (Affine affine :
          List.of(layer.q(), layer.k(), layer.v(), layer.dense(), layer.fc1(), layer.fc2())) {
        all.add(affine.weight());
      }
    }
    return all;
  }

  private static DType typeOf(Tensor matrix, EngineOptions options) {
    if (options.get(CPU_PRODUCTS) == CpuProducts.ONEDNN) {
      return DType.BF16;
    }
    DType type = options.get(WEIGHTS).type();
    return type == null ? matrix.dtype() : type;
  }
}
