package dev.flinfer.engine.cpu;

import dev.flinfer.engine.KvCacheType;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(value = OS.LINUX, architectures = "amd64", disabledReason = "no library for others")
final class DnnlForwardPassTest extends CpuForwardPassContract {
  DnnlForwardPassTest() {
    super(KvCacheType.F32, CpuOptions.Products.ONEDNN_BF16);
  }

  /** Weights and activations are off by up to 1/512 of themselves, in each product. */
  @Override
  protected double tolerance() {
    return 0.2;
  }
}
