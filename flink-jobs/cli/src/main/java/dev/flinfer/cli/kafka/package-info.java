/** Commands and helpers that write to topics and read from them. */
package dev.flinfer.cli.kafka;
