package dev.flinfer.engine.cpu;

import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.ForwardPassContract;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import java.util.function.Supplier;

/** The tests of backends on the CPU backend, with options that a subclass chooses. */
abstract class CpuForwardPassContract extends ForwardPassContract {
  private final KvCacheType keysAndValues;
  private final CpuOptions.Products products;

  CpuForwardPassContract(KvCacheType keysAndValues, CpuOptions.Products products) {
    this.keysAndValues = keysAndValues;
    this.products = products;
  }

  @Override
  protected ForwardPass open(PhiConfig config, PhiWeights weights, int blocks, int maxRows) {
    CpuOptions options = new CpuOptions(blocks, keysAndValues, maxRows, 3, null, products);
    Supplier<ForwardPass> opener = () -> new CpuForwardPass(config, weights, options);
    return products == CpuOptions.Products.JAVA ? opener.get() : DnnlProductsTest.orSkip(opener);
  }
}
