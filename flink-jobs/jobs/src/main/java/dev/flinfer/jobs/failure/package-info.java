/**
 * Failures of Kafka, explained in one sentence each. Depends neither on the source nor on the sinks
 * nor on the options of the job.
 */
package dev.flinfer.jobs.failure;
