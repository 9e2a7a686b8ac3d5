package dev.flinfer.jobs;

import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Prompts from Kafka in, completions to Kafka out. */
public final class CompletionJob {
  private CompletionJob() {}

  /**
   * Adds the job to an environment, which then executes it.
   *
   * @param config options of {@link KafkaOptions} and {@code FlinferOptions}
   * @throws IllegalArgumentException if options contradict each other, or the broker cannot be
   *     reached, or a topic is missing; the message says how to mend it
   */
  public static void build(StreamExecutionEnvironment env, ReadableConfig config) {
    throw new UnsupportedOperationException("being written: " + env + config);
  }
}
