/**
 * The job: from Kafka through the inference operator to Kafka. It depends neither on the command
 * line nor on an embedded broker; {@link dev.flinfer.jobs.CompletionJob} is the entry point.
 */
package dev.flinfer.jobs;
