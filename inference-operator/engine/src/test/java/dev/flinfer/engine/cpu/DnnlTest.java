package dev.flinfer.engine.cpu;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(value = OS.LINUX, architectures = "amd64", disabledReason = "no library for others")
final class DnnlTest {
  /** As a product in bf16 is on a processor without, and this one everywhere. */
  @Test
  void aProductWithoutKernelsIsRefusedWithTheWayOut() {
    Dnnl dnnl = DnnlProductsTest.orSkip(Dnnl::load);
    MemorySegment src = dnnl.describe(2, 64, Dnnl.S8, 64, 1);
    MemorySegment weights = dnnl.describeAny(64, 64, Dnnl.BF16);
    MemorySegment dst = dnnl.describe(2, 64, Dnnl.F32, 64, 1);
    assertThatThrownBy(() -> dnnl.describeProduct(src, weights, dst))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "oneDNN has no kernels on this processor for what dnnl_matmul_primitive_desc_create was asked for. Set cpu_products to java");
  }
}
