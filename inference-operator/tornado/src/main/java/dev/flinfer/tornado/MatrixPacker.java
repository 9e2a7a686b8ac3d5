package dev.flinfer.tornado;

import dev.flinfer.engine.model.PhiWeights.Affine;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.QuantizedRun;
import dev.flinfer.engine.weights.Quantizer;
import dev.flinfer.engine.weights.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** Brings the matrices of a layer into panels, stacked by outputs or side by side by inputs. */
final class MatrixPacker {
  /** Types whose codes, and a scale for each 32 of them, fit Q8_0 as they are. */
  private static final Set<DType> FITS_Q8 = Set.of(DType.Q8_0, DType.Q4_0, DType.Q5_0);

  private static final int GROUP = 32;

  private final DeviceMatrix target;
  private final int layer;
  private final List<Part> parts = new ArrayList<>();

  /** A matrix and where in the target its outputs and inputs begin. */
  private record Part(Tensor weight, int firstOutput, int firstInput) {
    int outputs() {
      return Math.toIntExact(weight.shape().get(0));
    }

    int inputs() {
      return Math.toIntExact(weight.shape().get(1));
    }
  }

  MatrixPacker(DeviceMatrix target, int layer) {
    this.target = target;
    this.layer = layer;
  }

  /**
   * The type that matrices run in.
   *
   * @param wanted F32, F16 or Q8_0, or null for the smallest one that keeps every stored value
   * @param hasHalf whether the device has F16
   */
  static DType typeOf(List<Tensor> weights, DType wanted, boolean hasHalf) {
    if (wanted != null) {
      return wanted;
    }
    if (hasHalf && weights.stream().allMatch(weight -> weight.dtype() == DType.F16)) {
      return DType.F16;
    }
    boolean fits = weights.stream().allMatch(weight -> FITS_Q8.contains(weight.dtype()));
    return fits ? DType.Q8_0 : DType.F32;
  }

  /** Adds a matrix; biases of the same outputs add up. */
  MatrixPacker put(Affine matrix, int firstOutput, int firstInput) {
    parts.add(new Part(matrix.weight(), firstOutput, firstInput));
    float[] bias = matrix.bias().toFloats();
    int at = layer * target.outputs() + firstOutput;
    for (int i = 0; i < bias.length; i++) {
      target.bias().set(at + i, target.bias().get(at + i) + bias[i]);
    }
    return this;
  }

  /**
   * Copies all matrices.
   *
   * @throws dev.flinfer.engine.weights.WeightFileException if a weight is not finite
   */
  void pack() {
    IntStream.range(0, target.outputs() / Shape.PANEL).parallel().forEach(this::packPanel);
  }

  private void packPanel(int panel) {
    for (Part part : parts) {
      Row row = new Row(part);
      for (int lane = 0; lane < Shape.PANEL; lane++) {
        int output = panel * Shape.PANEL + lane - part.firstOutput;
        if (output >= 0 && output < part.outputs()) {
          row.read(output);
          if (target.inHalfRows()) {
            row.storeHalfRow(panel * Shape.PANEL + lane);
          } else {
            row.store(layer * (target.outputs() / Shape.PANEL) + panel, lane);
          }
        }
      }
    }
  }

  /** One row of a matrix on its way; a thread's own. */
  private final class Row {
    private final Part part;
    private final float[] values;
    private final byte[] codes;
    private final float[] scales;
    private final QuantizedRun run; // null if values are quantised here, or not at all

    Row(Part part) {
      this.part = part;
      int inputs = part.inputs();
      this.values = new float[inputs];
      boolean asStored = target.quantized() && FITS_Q8.contains(part.weight.dtype());
      this.run = asStored ? new QuantizedRun(part.weight.dtype(), inputs) : null;
      this.codes = asStored ? run.codes() : new byte[inputs];
      this.scales = asStored ? run.scales() : new float[(inputs + GROUP - 1) / GROUP];
    }

    void read(int output) {
      long from = (long) output * values.length;
      if (run != null) {
        run.read(part.weight, from, values.length);
        for (float scale : scales) {
          if (!Float.isFinite(scale)) {
            throw part.weight.notFinite(from);
          }
        }
        return;
      }
      part.weight.copyFiniteTo(from, values);
      if (target.quantized()) {
        for (int g = 0; g < scales.length; g++) {
          int end = Math.min(values.length, (g + 1) * GROUP);
          scales[g] = Quantizer.q8(values, g * GROUP, end, codes);
        }
      }
    }

    void storeHalfRow(int output) {
      MemorySegment halves = target.halfRows().get(layer).getSegment();
      long at = (long) output * target.inputs() + part.firstInput;
      for (int k = 0; k < values.length; k++) {
        halves.setAtIndex(ValueLayout.JAVA_SHORT, at + k, half(values[k]));
      }
    }

    private static short half(float value) {
      short half = Float.floatToFloat16(value);
      if (Float.isInfinite(Float.float16ToFloat(half))) {
        throw new IllegalArgumentException(
            "weights f16 is too narrow: a weight of the model is %s, the largest of f16 is 65504;"
                    .formatted(value)
                + " take weights f32");
      }
      return half;
    }

    void store(int panel, int lane) {
      int at = (panel * target.inputs() + part.firstInput) * Shape.PANEL + lane;
      if (!target.quantized()) {
        storeNumbers(at);
        return;
      }
      for (int k = 0; k < codes.length; k++) {
        target.panels().codes().set(at + k * Shape.PANEL, codes[k]);
      }
      int scaleAt = panel * target.inputs() + part.firstInput + lane;
      for (int g = 0; g < scales.length; g++) {
        target.panels().floats().set(scaleAt + g * Shape.PANEL, scales[g]);
      }
    }

    private void storeNumbers(int at) {
      if (target.panels().type() == PanelWeights.F32) {
        for (int k = 0; k < values.length; k++) {
          target.panels().floats().set(at + k * Shape.PANEL, values[k]);
        }
        return;
      }
      MemorySegment halves = target.panels().halves().getSegment();
      for (int k = 0; k < values.length; k++) {
        halves.setAtIndex(ValueLayout.JAVA_SHORT, at + (long) k * Shape.PANEL, half(values[k]));
      }
    }
  }
}
