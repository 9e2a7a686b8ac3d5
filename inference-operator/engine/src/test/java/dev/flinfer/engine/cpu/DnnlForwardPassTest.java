package dev.flinfer.engine.cpu;

import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.ForwardPassContract;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(value = OS.LINUX, architectures = "amd64", disabledReason = "no library for others")
final class DnnlForwardPassTest extends ForwardPassContract {
  @Override
  protected ForwardPass open(PhiConfig config, PhiWeights weights, int blocks, int maxRows) {
    CpuOptions options =
        new CpuOptions(blocks, KvCacheType.F32, maxRows, 3, null, CpuOptions.Products.ONEDNN_BF16);
    return DnnlProductsTest.orSkip(() -> new CpuForwardPass(config, weights, options));
  }

  /** Weights and activations are off by up to 1/512 of themselves, in each product. */
  @Override
  protected double tolerance() {
    return 0.2;
  }
}
