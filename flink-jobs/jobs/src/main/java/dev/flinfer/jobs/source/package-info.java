/**
 * Prompts from Kafka: its source, with what the job needs in addition. Depends neither on the sinks
 * nor on the options of the job.
 */
package dev.flinfer.jobs.source;
