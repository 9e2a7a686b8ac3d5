/**
 * The job: Kafka in, the inference operator, Kafka out. It knows neither the command line nor a
 * broker of its own; {@link dev.flinfer.jobs.CompletionJob} is the way in.
 */
package dev.flinfer.jobs;
