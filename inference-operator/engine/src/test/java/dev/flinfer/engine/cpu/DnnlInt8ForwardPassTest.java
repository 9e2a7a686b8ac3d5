package dev.flinfer.engine.cpu;

import dev.flinfer.engine.KvCacheType;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(value = OS.LINUX, architectures = "amd64", disabledReason = "no library for others")
final class DnnlInt8ForwardPassTest extends CpuForwardPassContract {
  DnnlInt8ForwardPassTest() {
    super(KvCacheType.F32, CpuOptions.Products.ONEDNN_INT8);
  }

  /**
   * Weights and activations are off by up to 1/254 of the largest of their row, in each product.
   */
  @Override
  protected double tolerance() {
    return 0.4;
  }
}
