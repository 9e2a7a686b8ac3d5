/**
 * The API: {@link dev.flinfer.engine.LlmEngine}, its inputs and its outputs, and its options, which
 * are declared in {@link dev.flinfer.engine.EngineOption}. Usable without Flink and Kafka, and must
 * import neither.
 *
 * <p>This package is below the packages that do the work and must not import {@code batching},
 * {@code device}, {@code sampling}, {@code choices} or {@code cpu}. {@link
 * dev.flinfer.engine.EngineProvider} finds the implementation, {@code dev.flinfer.engine.batching}.
 */
package dev.flinfer.engine;
