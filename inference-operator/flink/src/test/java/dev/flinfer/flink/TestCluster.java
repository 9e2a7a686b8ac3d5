package dev.flinfer.flink;

import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.testutils.MiniClusterResourceConfiguration;
import org.apache.flink.test.junit5.MiniClusterExtension;

/** A Flink cluster with one TaskManager in the test's process. */
final class TestCluster {
  private TestCluster() {}

  static MiniClusterExtension ofSlots(int slots) {
    return ofSlots(slots, new Configuration());
  }

  static MiniClusterExtension ofSlots(int slots, Configuration config) {
    return new MiniClusterExtension(
        new MiniClusterResourceConfiguration.Builder()
            .setNumberTaskManagers(1)
            .setNumberSlotsPerTaskManager(slots)
            .setConfiguration(config)
            .build());
  }
}
