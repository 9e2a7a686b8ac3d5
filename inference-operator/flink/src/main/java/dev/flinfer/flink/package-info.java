/**
 * The Flink operator around the engine: state, back-pressure, watermarks, options and metrics. Must
 * not import Kafka.
 *
 * <p>{@link dev.flinfer.flink.Inference} is the entry point, {@link
 * dev.flinfer.flink.FlinferOptions} has the options, and {@link dev.flinfer.flink.EngineSupplier}
 * is the interface through which another engine can be used.
 */
package dev.flinfer.flink;
