package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;

import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.OptionNames;
import dev.flinfer.engine.weights.DType;

/**
 * The options of the CPU backend, resolved.
 *
 * @param numKvBlocks blocks of 16 positions in the KV cache
 * @param kvCacheType type of the keys and values in it
 * @param maxRows maximum number of rows in a step
 * @param threads threads to compute with, the caller's included
 * @param weightType the type to run the matrices in, one of F32, BF16, Q8_0 and Q4_0; null runs
 *     each in the type it is stored in
 * @param products what multiplies the matrices
 * @param names how error texts name the engine's options
 */
public record CpuOptions(
    int numKvBlocks,
    KvCacheType kvCacheType,
    int maxRows,
    int threads,
    DType weightType,
    Products products,
    OptionNames names) {

  /** What multiplies matrices, and in which number format. */
  public enum Products {
    /** Java, in fp32, with weights in any type. */
    JAVA,
    /** oneDNN, weights and activations in bf16. */
    ONEDNN_BF16,
    /** oneDNN, weights and activations in 8-bit integers: W8A8. */
    ONEDNN_INT8
  }

  /** With the engine's own names. */
  public CpuOptions(
      int numKvBlocks,
      KvCacheType kvCacheType,
      int maxRows,
      int threads,
      DType weightType,
      Products products) {
    this(numKvBlocks, kvCacheType, maxRows, threads, weightType, products, OptionNames.ENGINE);
  }

  /** Products in Java. */
  public CpuOptions(
      int numKvBlocks, KvCacheType kvCacheType, int maxRows, int threads, DType weightType) {
    this(numKvBlocks, kvCacheType, maxRows, threads, weightType, Products.JAVA);
  }

  /** The option that decides {@code maxRows}, for messages. */
  String maxRowsOption() {
    return names.of(MAX_NUM_BATCHED_TOKENS);
  }
}
