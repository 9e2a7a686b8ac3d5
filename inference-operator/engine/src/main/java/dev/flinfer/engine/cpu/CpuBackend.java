package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.EngineOption.CPU_PRODUCTS;
import static dev.flinfer.engine.EngineOption.KV_CACHE_DTYPE;
import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;
import static dev.flinfer.engine.EngineOption.THREADS;
import static dev.flinfer.engine.EngineOption.WEIGHTS;

import dev.flinfer.engine.CpuProducts;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.Weights;
import dev.flinfer.engine.device.Backend;
import dev.flinfer.engine.device.DeviceInfo;
import dev.flinfer.engine.device.DevicePlan;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The CPU backend, which runs everywhere and needs no driver. */
public final class CpuBackend implements Backend {
  private static final Logger LOG = LoggerFactory.getLogger(CpuBackend.class);

  /** Memory is not limited here: the operating system refuses what is too much. */
  public static final DeviceInfo DEVICE =
      new DeviceInfo(
          "cpu",
          "Java on all cores",
          DeviceInfo.Kind.CPU,
          Long.MAX_VALUE,
          Long.MAX_VALUE,
          Set.of(DType.F32, DType.BF16, DType.Q8_0, DType.Q4_0),
          EnumSet.allOf(KvCacheType.class));

  @Override
  public String name() {
    return "java";
  }

  @Override
  public boolean loadsDrivers() {
    return false;
  }

  @Override
  public List<DeviceInfo> devices() {
    return List.of(DEVICE);
  }

  @Override
  public DevicePlan plan(
      DeviceInfo device, PhiConfig config, PhiWeights weights, EngineOptions options) {
    return new DevicePlan(
        0,
        0,
        0,
        CpuForwardPass.kvBlockBytes(config, options.get(KV_CACHE_DTYPE).type()),
        Integer.MAX_VALUE / ForwardPass.BLOCK_SIZE,
        options.get(WEIGHTS).type());
  }

  private static CpuOptions.Products products(EngineOptions options) {
    if (options.get(CPU_PRODUCTS) != CpuProducts.ONEDNN) {
      LOG.info(
          "matrix products: java ({} {}), whose completions are those of fp32 arithmetic;"
              + " onednn is faster with many sequences and rounds activations",
          options.names().of(CPU_PRODUCTS),
          options.text(CPU_PRODUCTS));
      return CpuOptions.Products.JAVA;
    }
    boolean w8a8 = options.get(WEIGHTS) == Weights.W8A8;
    LOG.info(
        "matrix products: onednn in {} ({} {}, {} {})",
        w8a8 ? "8-bit integers" : "bf16",
        options.names().of(CPU_PRODUCTS),
        options.text(CPU_PRODUCTS),
        options.names().of(WEIGHTS),
        options.text(WEIGHTS));
    return w8a8 ? CpuOptions.Products.ONEDNN_INT8 : CpuOptions.Products.ONEDNN_BF16;
  }

  @Override
  public ForwardPass open(
      DeviceInfo device,
      PhiConfig config,
      PhiWeights weights,
      EngineOptions options,
      int numKvBlocks) {
    return new CpuForwardPass(
        config,
        weights,
        new CpuOptions(
            numKvBlocks,
            options.get(KV_CACHE_DTYPE).type(),
            options.get(MAX_NUM_BATCHED_TOKENS),
            options.get(THREADS),
            options.get(WEIGHTS).type(),
            products(options),
            options.names()));
  }
}
