/** The jobs: Kafka in, the inference operator, Kafka out. */
package dev.flinfer.jobs;
