package dev.flinfer.engine.cpu;

import dev.flinfer.engine.KvCacheType;

final class CpuForwardPassTest extends CpuForwardPassContract {
  CpuForwardPassTest() {
    super(KvCacheType.F32, CpuOptions.Products.JAVA);
  }
}
