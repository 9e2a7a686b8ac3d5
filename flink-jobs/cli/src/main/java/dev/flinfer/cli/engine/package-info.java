/** Commands that need only the engine, not Kafka and Flink. */
package dev.flinfer.cli.engine;
