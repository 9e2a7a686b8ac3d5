package dev.flinfer.jobs;

import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.kafka.common.errors.ApiException;

/**
 * What the broker knows of a job: its cluster, and the offsets that the job's consumer group has
 * committed, which show how far a job has read.
 *
 * @param cluster id of the Kafka cluster
 * @param offsets the group's committed offsets of the input topic, by partition
 */
public record ConsumerGroup(String cluster, Map<Integer, Long> offsets) {

  /**
   * @param config the options of the job
   * @throws IllegalArgumentException if the broker does not answer or refuses; the message says how
   *     to fix it
   */
  public static ConsumerGroup read(ReadableConfig config) {
    JobOptions options = JobOptions.from(config);
    try (Broker broker = Broker.connect(options)) {
      Map<Integer, Long> offsets = new TreeMap<>();
      broker
          .await(
              broker
                  .admin()
                  .listConsumerGroupOffsets(options.groupId())
                  .partitionsToOffsetAndMetadata())
          .forEach(
              (partition, offset) -> {
                if (offset != null && partition.topic().equals(options.inputTopic())) {
                  offsets.put(partition.partition(), offset.offset());
                }
              });
      String cluster = broker.await(broker.admin().describeCluster().clusterId());
      return new ConsumerGroup(cluster, offsets);
    } catch (ApiException e) {
      throw new IllegalArgumentException(
          "The offsets of the consumer group %s (%s) cannot be read: %s. Give the job's user the"
                  .formatted(options.groupId(), KafkaOptions.GROUP_ID.key(), e.getMessage())
              + " rights Describe and Read for the group",
          e);
    }
  }
}
