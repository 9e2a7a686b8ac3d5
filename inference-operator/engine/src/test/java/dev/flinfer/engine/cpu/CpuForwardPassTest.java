package dev.flinfer.engine.cpu;

import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.ForwardPassContract;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;

final class CpuForwardPassTest extends ForwardPassContract {
  @Override
  protected ForwardPass open(PhiConfig config, PhiWeights weights, int blocks, int maxRows) {
    return new CpuForwardPass(
        config, weights, new CpuOptions(blocks, KvCacheType.F32, maxRows, 3, null));
  }
}
