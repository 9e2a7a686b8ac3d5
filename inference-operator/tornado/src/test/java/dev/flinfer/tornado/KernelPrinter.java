package dev.flinfer.tornado;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.device.DeviceInfo;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.StepBuffers;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Safetensors;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * Compiles the kernels for every type of weights, keys and values on the first device, which can be
 * a virtual one, see docs/tornadovm.md; with {@code -Dtornado.printKernel=True} TornadoVM prints
 * them.
 */
final class KernelPrinter {
  /** Printed before the kernels of a variant. */
  static final String VARIANT = "variant ";

  private KernelPrinter() {}

  /**
   * @param args a directory for a random model checkpoint
   */
  public static void main(String[] args) {
    Path model = Path.of(args[0]);
    RandomCheckpoint.write(model, RandomCheckpoint.Shape.EVEN, DType.F16, 1);
    Set<DType> types = Set.of(DType.F32, DType.F16, DType.Q8_0);
    DeviceInfo first = new TornadoBackend().devices().get(0);
    DeviceInfo gpu = Variants.of(first, DeviceInfo.Kind.GPU, types);
    for (KvCacheType kv : List.of(KvCacheType.F32, KvCacheType.F16)) {
      compile(model, Variants.of(gpu, DType.F32, kv, false));
      compile(model, Variants.of(gpu, DType.Q8_0, kv, false));
      compile(model, Variants.of(gpu, DType.F16, kv, false));
      if (gpu.id().startsWith("cuda:")) {
        compile(model, Variants.of(gpu, DType.F16, kv, true));
      }
    }
  }

  private static void compile(Path model, Settings settings) {
    String variant =
        "weights-%s-kv-%s%s"
            .formatted(
                settings.weightType(), settings.kvCacheType(), settings.cublas() ? "-cublas" : "");
    System.out.println(VARIANT + variant);
    PhiConfig config = PhiConfig.load(model);
    StepBuffers step =
        new StepBuffers(new int[1], new int[1], new int[1], new int[][] {{0}}, new int[1]);
    try (Safetensors files = Safetensors.open(model);
        ForwardPass forward = Variants.open(settings, config, PhiWeights.of(files, config), 1, 8)) {
      forward.forward(step, new float[config.vocabSize()]);
    } catch (EngineException e) {
      // A virtual device fails when cuBLAS is called, or when the logits are copied at the end.
      System.out.println("ended: " + e.getMessage());
    }
  }
}
