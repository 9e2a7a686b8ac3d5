/**
 * Prompts from Kafka: its source, with what it lacks for the job. Knows neither the sinks nor the
 * options of the job.
 */
package dev.flinfer.jobs.source;
