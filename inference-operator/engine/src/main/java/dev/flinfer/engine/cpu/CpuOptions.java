package dev.flinfer.engine.cpu;

import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.weights.DType;

/**
 * How the CPU backend runs.
 *
 * @param numKvBlocks blocks of 16 positions in the KV cache
 * @param kvCacheType type of the keys and values in it
 * @param maxRows most rows of a plan
 * @param threads threads to compute with, the caller's included
 * @param weightType the type to run the matrices in, one of F32, BF16, Q8_0 and Q4_0; null runs
 *     each in the type it is stored in
 * @param oneDnn whether oneDNN multiplies the matrices, in bf16, and not Java
 */
public record CpuOptions(
    int numKvBlocks,
    KvCacheType kvCacheType,
    int maxRows,
    int threads,
    DType weightType,
    boolean oneDnn) {

  /** Products in Java. */
  public CpuOptions(
      int numKvBlocks, KvCacheType kvCacheType, int maxRows, int threads, DType weightType) {
    this(numKvBlocks, kvCacheType, maxRows, threads, weightType, false);
  }
}
