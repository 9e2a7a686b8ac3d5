/**
 * The Flink operator around the engine: state, back-pressure, watermarks, options and metrics. Must
 * not import Kafka.
 */
package dev.flinfer.flink;
