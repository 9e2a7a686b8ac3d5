/**
 * The engine's loop and its decisions: which tokens the next forward pass computes, which sequence
 * holds which KV block, and how a failed step is handled. {@link
 * dev.flinfer.engine.batching.BatchingEngine} is the loop, {@link
 * dev.flinfer.engine.batching.Scheduler} decides.
 *
 * <p>It builds on {@code device}, {@code sampling} and {@code choices} and must not import {@code
 * cpu} or any other backend.
 */
package dev.flinfer.engine.batching;
