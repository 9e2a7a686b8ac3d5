/**
 * What callers use: {@link dev.flinfer.engine.LlmEngine} and the values that go in and come out of
 * it. Usable without Flink and Kafka, and must import neither.
 *
 * <p>This package stands below the rooms that do the work and must not import {@code batching},
 * {@code device}, {@code sampling}, {@code choices} or {@code cpu}. {@link
 * dev.flinfer.engine.EngineProvider} finds the implementation, {@code dev.flinfer.engine.batching}.
 */
package dev.flinfer.engine;
