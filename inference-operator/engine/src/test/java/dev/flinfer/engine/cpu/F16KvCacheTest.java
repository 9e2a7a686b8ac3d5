package dev.flinfer.engine.cpu;

import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.ForwardPassContract;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;

final class F16KvCacheTest extends ForwardPassContract {
  @Override
  protected ForwardPass open(PhiConfig config, PhiWeights weights, int blocks, int maxRows) {
    return new CpuForwardPass(
        config, weights, new CpuOptions(blocks, KvCacheType.F16, maxRows, 3, null));
  }

  /** Keys and values keep 11 bits: each is off by up to 1/2048, and errors add up over layers. */
  @Override
  protected double tolerance() {
    return 2e-2;
  }
}
