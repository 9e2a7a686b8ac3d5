/**
 * The engine's loop and its decisions: which tokens the next forward pass computes, who holds which
 * KV block, what becomes of a step that failed. {@link dev.flinfer.engine.batching.BatchingEngine}
 * is the loop, {@link dev.flinfer.engine.batching.Scheduler} decides.
 *
 * <p>It stands on {@code device}, {@code sampling} and {@code choices} and must not import {@code
 * cpu}, or any other backend.
 */
package dev.flinfer.engine.batching;
