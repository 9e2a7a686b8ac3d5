package dev.flinfer.flink;

import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.WireFormat;
import java.time.Duration;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.StateTtlConfig;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.formats.avro.typeutils.AvroTypeInfo;
import org.apache.flink.metrics.Counter;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.function.SerializableSupplier;

/**
 * Passes on the first request with an id and drops later ones for some time. It runs before the
 * inference, so a request counts as answered when it is passed on: its id is in the same checkpoint
 * as the request, and after a failure both are restored. A request that is then rejected has its
 * outcome too.
 *
 * <p>A record is passed on if its request has no id, if it has no value, or if it cannot be read.
 */
final class Deduplication extends KeyedProcessFunction<String, SourceRecord, SourceRecord> {
  private static final long serialVersionUID = 1L;

  /** Renaming these loses the ids in users' checkpoints. */
  static final String UID = "flinfer-deduplicate";

  private static final String STATE = "answered";

  private final Duration ttl;
  private transient ValueState<Boolean> answered;
  private transient Counter duplicates;

  Deduplication(Duration ttl) {
    this.ttl = ttl;
  }

  /** The records except those whose id occurred before. They are shuffled by their ids. */
  static DataStream<SourceRecord> of(
      DataStream<SourceRecord> records,
      Duration ttl,
      SerializableSupplier<WireFormat.Reader<CompletionRequest>> reader) {
    return records
        .keyBy(new RequestKey(reader), Types.STRING)
        .process(new Deduplication(ttl), new AvroTypeInfo<>(SourceRecord.class))
        .name("deduplicate")
        .uid(UID);
  }

  @Override
  public void open(OpenContext context) {
    ValueStateDescriptor<Boolean> descriptor = new ValueStateDescriptor<>(STATE, Types.BOOLEAN);
    descriptor.enableTimeToLive(
        StateTtlConfig.newBuilder(ttl)
            .setUpdateType(StateTtlConfig.UpdateType.OnCreateAndWrite)
            .setStateVisibility(StateTtlConfig.StateVisibility.NeverReturnExpired)
            .build());
    answered = getRuntimeContext().getState(descriptor);
    duplicates = getRuntimeContext().getMetricGroup().addGroup("inference").counter("duplicates");
  }

  @Override
  public void processElement(SourceRecord record, Context context, Collector<SourceRecord> out)
      throws Exception {
    if (RequestKey.isId(context.getCurrentKey())) {
      if (answered.value() != null) {
        duplicates.inc();
        return;
      }
      answered.update(true);
    }
    out.collect(record);
  }

  /** The id of a request, or its place in the topic if it has none. */
  static final class RequestKey implements KeySelector<SourceRecord, String> {
    private static final long serialVersionUID = 1L;

    private static final char ID = '=';
    private static final char PLACE = '@';

    private final SerializableSupplier<WireFormat.Reader<CompletionRequest>> readers;
    private transient RequestReader reader;

    RequestKey(SerializableSupplier<WireFormat.Reader<CompletionRequest>> readers) {
      this.readers = readers;
    }

    static boolean isId(String key) {
      return key.charAt(0) == ID;
    }

    @Override
    public String getKey(SourceRecord record) {
      if (reader == null) {
        reader = new RequestReader(readers.get());
      }
      String id = record.getValue() == null ? null : idOf(record);
      return id == null ? PLACE + RequestReader.place(record) : ID + id;
    }

    private String idOf(SourceRecord record) {
      try {
        return reader.givenId(record);
      } catch (RuntimeException e) {
        return null; // the operator rejects it
      }
    }
  }
}
