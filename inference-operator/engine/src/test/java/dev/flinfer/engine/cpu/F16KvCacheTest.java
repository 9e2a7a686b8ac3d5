package dev.flinfer.engine.cpu;

import dev.flinfer.engine.KvCacheType;

final class F16KvCacheTest extends CpuForwardPassContract {
  F16KvCacheTest() {
    super(KvCacheType.F16, CpuOptions.Products.JAVA);
  }

  /** Keys and values keep 11 bits: each is off by up to 1/2048, and errors add up over layers. */
  @Override
  protected double tolerance() {
    return 2e-2;
  }
}
