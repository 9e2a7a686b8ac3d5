package dev.flinfer.engine.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;

final class HeapArraysTest {
  private static final int VOCABULARY = 51_200;

  @Test
  void moreThanTheHeapHasIsNamed() {
    int rows = 41_900; // just within what an array holds: 8.6 GB
    long heap = Runtime.getRuntime().maxMemory();
    assumeTrue(heap < 4L * rows * VOCABULARY, "The heap has room for it");

    assertThatThrownBy(() -> HeapArrays.floats("max_num_seqs", rows, VOCABULARY))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "max_num_seqs is 41900; with 51200 numbers each that is %,d bytes, more than is free of the Java heap of %,d. Lower it, or raise -Xmx",
            4L * rows * VOCABULARY, heap);
  }

  @Test
  void moreThanAnArrayHoldsIsNamed() {
    assertThatThrownBy(() -> HeapArrays.floats("max_num_seqs", 50_000, VOCABULARY))
        .hasMessage(
            "max_num_seqs is 50000; with 51200 numbers each the limit of this model is 41943");
    assertThat(HeapArrays.floats("max_num_seqs", 2, 3)).hasSize(6);
  }
}
