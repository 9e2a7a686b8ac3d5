/** Commands that need the engine alone, without Kafka and Flink. */
package dev.flinfer.cli.engine;
