package dev.flinfer.cli.state;

import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.ExecutionConfig;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplitSerializer;
import org.apache.flink.core.fs.CloseableRegistry;
import org.apache.flink.core.io.SimpleVersionedSerialization;
import org.apache.flink.runtime.checkpoint.CheckpointOptions;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.StateObjectCollection;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.state.DefaultOperatorStateBackend;
import org.apache.flink.runtime.state.DefaultOperatorStateBackendBuilder;
import org.apache.flink.runtime.state.OperatorStateHandle;
import org.apache.flink.runtime.state.memory.MemCheckpointStreamFactory;
import org.apache.kafka.common.TopicPartition;

/** Checkpoints as Flink writes them, of a job with a Kafka source. */
final class States {
  private static final int MAX_BYTES = 1 << 20;

  private States() {}

  /**
   * Writes a complete checkpoint.
   *
   * @param id its number
   * @param offsets at which the source continues, by partition
   */
  static Path write(Path directory, long id, Map<Integer, Long> offsets) throws Exception {
    OperatorState source = new OperatorState(null, null, new OperatorID(), 1, 1);
    source.putState(
        0,
        OperatorSubtaskState.builder()
            .setManagedOperatorState(StateObjectCollection.singleton(splits(id, offsets)))
            .build());
    Files.createDirectories(directory);
    try (OutputStream out = Files.newOutputStream(directory.resolve(SavedState.METADATA))) {
      Checkpoints.storeCheckpointMetadata(
          new CheckpointMetadata(id, List.of(source), List.of()), out);
    }
    return directory;
  }

  private static OperatorStateHandle splits(long id, Map<Integer, Long> offsets) throws Exception {
    DefaultOperatorStateBackend backend =
        new DefaultOperatorStateBackendBuilder(
                States.class.getClassLoader(),
                new ExecutionConfig(),
                false,
                Set.of(),
                new CloseableRegistry())
            .build();
    ListState<byte[]> state =
        backend.getListState(
            new ListStateDescriptor<>("SourceReaderState", BytePrimitiveArraySerializer.INSTANCE));
    for (Map.Entry<Integer, Long> offset : offsets.entrySet()) {
      state.add(
          SimpleVersionedSerialization.writeVersionAndSerialize(
              new KafkaPartitionSplitSerializer(),
              new KafkaPartitionSplit(
                  new TopicPartition("prompts", offset.getKey()), offset.getValue())));
    }
    var snapshot =
        backend.snapshot(
            id,
            0,
            new MemCheckpointStreamFactory(MAX_BYTES),
            CheckpointOptions.forCheckpointWithDefaultLocation());
    snapshot.run();
    return snapshot.get().getJobManagerOwnedSnapshot();
  }
}
