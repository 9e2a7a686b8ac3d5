/**
 * Completions, dead letters and throughput to Kafka: a serializer for each, and the sink that does
 * not lose output silently. Depends neither on the source nor on the options of the job.
 */
package dev.flinfer.jobs.sink;
