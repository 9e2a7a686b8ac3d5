package dev.flinfer.jobs;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.ApiException;

/** Reads where the input topic of a job ends, to show how much waits there. */
public final class InputEnd implements AutoCloseable {
  private final String topic;
  private final Broker broker;

  /**
   * @param config the options of the job
   */
  public InputEnd(ReadableConfig config) {
    JobOptions options = JobOptions.from(config);
    topic = options.inputTopic();
    broker = Broker.connect(options);
  }

  /**
   * Returns the offset of the next record that a reader of committed records will see, by
   * partition; empty if the broker does not answer.
   */
  public Map<Integer, Long> offsets() {
    try {
      Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
      for (TopicPartitionInfo partition :
          broker
              .await(broker.admin().describeTopics(List.of(topic)).topicNameValues().get(topic))
              .partitions()) {
        latest.put(new TopicPartition(topic, partition.partition()), OffsetSpec.latest());
      }
      Map<Integer, Long> ends = new TreeMap<>();
      broker
          .await(
              broker
                  .admin()
                  .listOffsets(latest, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
                  .all())
          .forEach((partition, end) -> ends.put(partition.partition(), end.offset()));
      return ends;
    } catch (ApiException | IllegalArgumentException e) {
      return Map.of(); // the job reports that the broker is away
    }
  }

  @Override
  public void close() {
    broker.close();
  }
}
