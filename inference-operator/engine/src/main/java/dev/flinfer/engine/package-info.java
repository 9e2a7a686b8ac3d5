/**
 * The engine: continuous batching of completion requests into one forward pass. Usable without
 * Flink and Kafka, and must import neither.
 *
 * <p>{@link dev.flinfer.engine.LlmEngine} is the way in, {@link dev.flinfer.engine.ForwardPass} the
 * seam behind which the backends are.
 */
package dev.flinfer.engine;
