/**
 * Completions, dead letters and throughput to Kafka: a serializer each, and the sink that does not
 * lose output silently. Knows neither the source nor the options of the job.
 */
package dev.flinfer.jobs.sink;
