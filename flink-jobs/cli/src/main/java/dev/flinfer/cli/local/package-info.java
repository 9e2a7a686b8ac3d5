/**
 * A Kafka broker and a Flink cluster in this process, and the job on them. The only package that
 * imports the broker.
 */
package dev.flinfer.cli.local;
