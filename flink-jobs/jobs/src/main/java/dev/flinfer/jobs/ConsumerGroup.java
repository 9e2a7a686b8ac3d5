package dev.flinfer.jobs;

import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.KafkaException;

/**
 * What the broker knows of a job: its cluster, and the offsets that the job's consumer group has
 * committed, which show how far a job has read.
 *
 * @param cluster id of the Kafka cluster
 * @param offsets the group's committed offsets of the input topic, by partition
 */
public record ConsumerGroup(String cluster, Map<Integer, Long> offsets) {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  /**
   * @param config the options of the job
   * @throws IllegalArgumentException if the broker does not answer; the message says how to fix it
   */
  public static ConsumerGroup read(ReadableConfig config) {
    JobOptions options = JobOptions.from(config);
    Properties properties = options.clientConfig();
    String timeout = Long.toString(TIMEOUT.toMillis());
    properties.putIfAbsent(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, timeout);
    properties.putIfAbsent(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, timeout);
    Admin admin = Admin.create(properties);
    try {
      String cluster =
          admin.describeCluster().clusterId().get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      Map<Integer, Long> offsets = new TreeMap<>();
      admin
          .listConsumerGroupOffsets(options.groupId())
          .partitionsToOffsetAndMetadata()
          .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
          .forEach(
              (partition, offset) -> {
                if (offset != null && partition.topic().equals(options.inputTopic())) {
                  offsets.put(partition.partition(), offset.offset());
                }
              });
      return new ConsumerGroup(cluster, offsets);
    } catch (ExecutionException | TimeoutException e) {
      Throwable cause = e instanceof ExecutionException ? e.getCause() : e;
      throw new IllegalArgumentException(
          "The offsets of the consumer group %s cannot be read at %s (%s): %s"
              .formatted(
                  options.groupId(),
                  options.bootstrapServers(),
                  KafkaOptions.BOOTSTRAP_SERVERS.key(),
                  cause.getMessage() == null
                      ? "no answer within %d s".formatted(TIMEOUT.toSeconds())
                      : cause.getMessage()),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new KafkaException("Interrupted while waiting for the broker", e);
    } finally {
      admin.close(Duration.ZERO); // otherwise it waits for a broker that does not answer
    }
  }
}
