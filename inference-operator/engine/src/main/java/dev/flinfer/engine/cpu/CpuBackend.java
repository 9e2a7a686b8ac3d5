package dev.flinfer.engine.cpu;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.KvCacheType;
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

/** The processor, on which everything runs; it needs no driver. */
public final class CpuBackend implements Backend {
  private static final Logger LOG = LoggerFactory.getLogger(CpuBackend.class);

  /** Its memory is the operating system's business: what is too much is found out there. */
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
        CpuForwardPass.kvBlockBytes(config, options.kvCacheType()),
        Integer.MAX_VALUE / ForwardPass.BLOCK_SIZE,
        options.weightType());
  }

  private static CpuOptions.Products products(EngineOptions options) {
    if (!options.oneDnn()) {
      LOG.info(
          "matrix products: java (cpu_products {}), whose answers are those of fp32 arithmetic;"
              + " onednn is faster with many sequences and rounds activations",
          options.cpuProducts());
      return CpuOptions.Products.JAVA;
    }
    LOG.info(
        "matrix products: onednn in {} (cpu_products {}, weights {})",
        options.w8a8() ? "8-bit integers" : "bf16",
        options.cpuProducts(),
        options.weights());
    return options.w8a8() ? CpuOptions.Products.ONEDNN_INT8 : CpuOptions.Products.ONEDNN_BF16;
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
            options.kvCacheType(),
            options.maxNumBatchedTokens(),
            options.threads(),
            options.weightType(),
            products(options)));
  }
}
