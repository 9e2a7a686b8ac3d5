package dev.flinfer.engine.cpu;

import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.ForwardPassContract;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;

final class Q8KvCacheTest extends ForwardPassContract {
  @Override
  protected ForwardPass open(PhiConfig config, PhiWeights weights, int blocks, int maxRows) {
    return new CpuForwardPass(
        config, weights, new CpuOptions(blocks, KvCacheType.Q8_0, maxRows, 3, null));
  }

  /** Keys and values are off by up to 1/254 of the largest of their 32. */
  @Override
  protected double tolerance() {
    return 0.2;
  }
}
