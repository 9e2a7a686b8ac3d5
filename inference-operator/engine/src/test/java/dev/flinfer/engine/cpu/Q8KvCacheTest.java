package dev.flinfer.engine.cpu;

import dev.flinfer.engine.KvCacheType;

final class Q8KvCacheTest extends CpuForwardPassContract {
  Q8KvCacheTest() {
    super(KvCacheType.Q8_0, CpuOptions.Products.JAVA);
  }

  /** Keys and values are off by up to 1/254 of the largest of their 32. */
  @Override
  protected double tolerance() {
    return 0.2;
  }
}
