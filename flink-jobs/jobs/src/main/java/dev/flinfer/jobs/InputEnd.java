package dev.flinfer.jobs;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;

/** Reads where the input topic of a job ends, to show how much waits there. */
public final class InputEnd implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final String topic;
  private final Admin admin;

  /**
   * @param config the options of the job
   */
  public InputEnd(ReadableConfig config) {
    JobOptions options = JobOptions.from(config);
    topic = options.inputTopic();
    Properties properties = options.clientConfig();
    String timeout = Long.toString(TIMEOUT.toMillis());
    properties.putIfAbsent(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, timeout);
    properties.putIfAbsent(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, timeout);
    admin = Admin.create(properties);
  }

  /**
   * Returns the offset of the next record that a reader of committed records will see, by
   * partition; empty if the broker does not answer.
   */
  public Map<Integer, Long> offsets() {
    try {
      Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
      for (TopicPartitionInfo partition :
          admin
              .describeTopics(List.of(topic))
              .topicNameValues()
              .get(topic)
              .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
              .partitions()) {
        latest.put(new TopicPartition(topic, partition.partition()), OffsetSpec.latest());
      }
      Map<Integer, Long> ends = new TreeMap<>();
      admin
          .listOffsets(latest, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
          .all()
          .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
          .forEach((partition, end) -> ends.put(partition.partition(), end.offset()));
      return ends;
    } catch (ExecutionException | TimeoutException e) {
      return Map.of(); // the job reports that the broker is away
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Map.of();
    }
  }

  @Override
  public void close() {
    admin.close(Duration.ZERO);
  }
}
