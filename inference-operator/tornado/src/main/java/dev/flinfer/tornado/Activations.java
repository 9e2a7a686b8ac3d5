package dev.flinfer.tornado;

import dev.flinfer.engine.KvCacheType;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The arrays on the device in addition to the weights. Only the logits, or the most likely tokens,
 * are ever copied to the host.
 *
 * @param layer cell 0: the layer that runs, cell 1: the layer that runs next
 * @param firstLayer two zeros, the layer of matrices that have only one
 * @param keys (num_layers, kvBlocks, num_heads, head_dim, 16), in fp32 or fp16
 * @param values (num_layers, kvBlocks, num_heads, 16, head_dim), in fp32 or fp16
 * @param hidden (rows, hidden_size), the residual stream, like {@code normed}
 * @param projected (rows, q | k | v | fc1)
 * @param query (rows, hidden_size), rotated
 * @param partial (rows, num_heads, splits, head_dim)
 * @param stats (rows, num_heads, splits, 2)
 * @param mixed (rows, attention | gelu(fc1))
 * @param half (rows, longest input of a matrix), in fp16; on the device only for cuBLAS
 * @param selected (logit rows, hidden_size)
 * @param logits (logit rows, vocab_size)
 * @param top (logit rows, {@link TopKernel#WIDTH}), the most likely tokens
 */
record Activations(
    IntArray layer,
    IntArray firstLayer,
    FloatOrHalfArray keys,
    FloatOrHalfArray values,
    FloatArray hidden,
    FloatArray normed,
    FloatArray projected,
    FloatArray query,
    FloatArray partial,
    FloatArray stats,
    FloatArray mixed,
    HalfFloatArray half,
    FloatArray selected,
    FloatArray logits,
    FloatArray top) {

  static Activations allocate(Shape shape, KvCacheType kvCacheType, HostMemory memory) {
    long rows = shape.maxRows();
    long kv = shape.kvBlockElements() * shape.kvBlocks();
    boolean halfKv = kvCacheType == KvCacheType.F16;
    return new Activations(
        memory.ints(2),
        memory.ints(2),
        FloatOrHalfArray.allocate(memory, kv, halfKv),
        FloatOrHalfArray.allocate(memory, kv, halfKv),
        memory.floats(rows * shape.hiddenStride()),
        memory.floats(rows * shape.hiddenStride()),
        memory.floats(rows * shape.projectedStride()),
        memory.floats(rows * shape.hidden()),
        memory.floats(partialElements(shape)),
        memory.floats(rows * shape.heads() * shape.maxSplits() * 2),
        memory.floats(rows * shape.mixedStride()),
        memory.halves(rows * shape.mixedStride()),
        memory.floats((long) shape.logitRows() * shape.hiddenStride()),
        memory.floats((long) shape.logitRows() * shape.vocabStride()),
        memory.floats((long) shape.logitRows() * TopKernel.WIDTH));
  }

  static long partialElements(Shape shape) {
    return (long) shape.maxRows() * shape.hidden() * shape.maxSplits();
  }

  /** Bytes of all arrays except keys and values. */
  static long bytes(Shape shape) {
    long perRow =
        2L * shape.hiddenStride()
            + shape.projectedStride()
            + shape.hidden()
            + (long) shape.heads() * shape.maxSplits() * 2
            + shape.mixedStride()
            + shape.mixedStride() / 2; // fp16
    long perLogitRow = (long) shape.hiddenStride() + shape.vocabStride() + TopKernel.WIDTH;
    return Float.BYTES
        * (shape.maxRows() * perRow
            + partialElements(shape)
            + shape.logitRows() * perLogitRow
            + StepControl.elements(shape));
  }
}
