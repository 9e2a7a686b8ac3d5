/**
 * The Flink operator around the engine: state, back-pressure, watermarks, options and metrics. Must
 * not import Kafka.
 *
 * <p>{@link dev.flinfer.flink.Inference} is the way in and {@link dev.flinfer.flink.FlinferOptions}
 * what can be set; {@link dev.flinfer.flink.EngineSupplier} is the seam for another engine.
 */
package dev.flinfer.flink;
