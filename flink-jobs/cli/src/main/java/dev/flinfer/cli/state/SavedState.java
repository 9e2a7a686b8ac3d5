package dev.flinfer.cli.state;

import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.api.common.ExecutionConfig;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeutils.base.array.BytePrimitiveArraySerializer;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplitSerializer;
import org.apache.flink.core.fs.CloseableRegistry;
import org.apache.flink.core.io.SimpleVersionedSerialization;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.state.DefaultOperatorStateBackend;
import org.apache.flink.runtime.state.DefaultOperatorStateBackendBuilder;
import org.apache.flink.runtime.state.OperatorStateHandle;

/**
 * A checkpoint or savepoint on disk.
 *
 * @param directory that contains its {@code _metadata}
 * @param id the checkpoint's number; Flink numbers the savepoints of a job among its checkpoints,
 *     and a restored job continues to count
 */
record SavedState(Path directory, long id) {
  /** Flink writes this file last, so a checkpoint that has it is complete. */
  static final String METADATA = "_metadata";

  /** The name under which Flink's source operator keeps its splits. */
  private static final ListStateDescriptor<byte[]> SPLITS =
      new ListStateDescriptor<>("SourceReaderState", BytePrimitiveArraySerializer.INSTANCE);

  static SavedState in(Path directory) throws IOException {
    return new SavedState(directory, metadata(directory).getCheckpointId());
  }

  private static CheckpointMetadata metadata(Path directory) throws IOException {
    Path file = directory.resolve(METADATA);
    try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
      return Checkpoints.loadCheckpointMetadata(
          in, SavedState.class.getClassLoader(), StateDirectory.flinkPath(directory));
    } catch (IllegalArgumentException | IllegalStateException e) { // not Flink's, or cut off
      throw new IOException(e.getMessage(), e);
    }
  }

  /** Reads the offsets at which the source continues, by partition. */
  Map<Integer, Long> offsets() throws IOException {
    Map<Integer, Long> offsets = new TreeMap<>();
    for (OperatorState operator : metadata(directory).getOperatorStates()) {
      for (OperatorSubtaskState subtask : operator.getStates()) {
        List<OperatorStateHandle> splits = new ArrayList<>();
        for (OperatorStateHandle handle : subtask.getManagedOperatorState()) {
          if (handle.getStateNameToPartitionOffsets().containsKey(SPLITS.getName())) {
            splits.add(handle);
          }
        }
        read(splits, offsets);
      }
    }
    return offsets;
  }

  private static void read(Collection<OperatorStateHandle> handles, Map<Integer, Long> offsets)
      throws IOException {
    if (handles.isEmpty()) {
      return;
    }
    DefaultOperatorStateBackend backend = null;
    try (CloseableRegistry closeables = new CloseableRegistry()) {
      backend =
          new DefaultOperatorStateBackendBuilder(
                  SavedState.class.getClassLoader(),
                  new ExecutionConfig(),
                  false,
                  handles,
                  closeables)
              .build();
      for (byte[] bytes : backend.getListState(SPLITS).get()) {
        KafkaPartitionSplit split =
            SimpleVersionedSerialization.readVersionAndDeSerialize(
                new KafkaPartitionSplitSerializer(), bytes);
        offsets.put(split.getPartition(), split.getStartingOffset());
      }
    } catch (IOException e) {
      throw e;
    } catch (Exception e) { // getListState() declares nothing narrower
      throw new IOException(e.getMessage(), e);
    } finally {
      if (backend != null) {
        backend.dispose();
      }
    }
  }
}
