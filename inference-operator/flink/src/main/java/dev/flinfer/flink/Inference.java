package dev.flinfer.flink;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.Throughput;
import dev.flinfer.schema.WireFormat;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.formats.avro.typeutils.AvroTypeInfo;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.util.function.SerializableSupplier;

/**
 * Completes the prompts of a stream.
 *
 * <pre>{@code
 * Inference inference = Inference.of(records, configuration);
 * inference.completions().sinkTo(completionSink);
 * inference.rejections().sinkTo(deadLetterSink);
 * inference.throughput().sinkTo(metricsSink);
 * }</pre>
 *
 * <p>Every record with a value ends as exactly one completion or rejection; a record without one, a
 * tombstone, is passed over. Completions come in the order in which they are finished. Records and
 * watermarks keep their order to each other: a watermark waits until all records before it are
 * answered, and what comes after it waits for it.
 *
 * <p>Requests that are unfinished at a checkpoint are in it with the tokens generated so far, and
 * go on from there after a restore, whatever the new parallelism.
 *
 * <p>The operator chains to the operator in front of it. Keep it so, and let the source's reader be
 * {@link #pausing}: behind a shuffle, aligned checkpoints wait for all the requests that are
 * buffered in front of it. {@link FlinferOptions#DEDUPLICATE_TTL} is such a shuffle; with it, let
 * checkpoints be unaligned.
 */
public final class Inference {

  /** The uid under which the operator's state is found again. */
  public static final String UID = "flinfer-inference";

  private static final String NAME = "inference";

  private final SingleOutputStreamOperator<CompletionRecord> completions;

  private Inference(SingleOutputStreamOperator<CompletionRecord> completions) {
    this.completions = completions;
  }

  /**
   * Completes the prompts with the engines of the process, see {@link EngineSupplier#shared()}.
   *
   * @param input records whose values are requests in the format {@link
   *     FlinferOptions#INPUT_FORMAT}
   * @param options see {@link FlinferOptions}
   * @throws IllegalArgumentException if an option is missing, out of its range or contradicts
   *     another
   */
  public static Inference of(DataStream<SourceRecord> input, ReadableConfig options) {
    return of(input, options, EngineSupplier.shared());
  }

  /** As {@link #of(DataStream, ReadableConfig)}, with engines of the caller's choice. */
  public static Inference of(
      DataStream<SourceRecord> input, ReadableConfig options, EngineSupplier engines) {
    return of(input, OperatorOptions.from(options), engines);
  }

  /**
   * As {@link #of(DataStream, ReadableConfig)}, for an engine whose options are given as such; all
   * other options have their defaults.
   */
  public static Inference of(DataStream<SourceRecord> input, EngineOptions engine) {
    return of(input, engine, new Configuration(), EngineSupplier.shared());
  }

  /**
   * As {@link #of(DataStream, EngineOptions)}, with engines of the caller's choice.
   *
   * @param options of {@link FlinferOptions}, but none of the engine's
   */
  public static Inference of(
      DataStream<SourceRecord> input,
      EngineOptions engine,
      ReadableConfig options,
      EngineSupplier engines) {
    return of(input, OperatorOptions.with(engine, options), engines);
  }

  private static Inference of(
      DataStream<SourceRecord> input, OperatorOptions checked, EngineSupplier engines) {
    WireFormat format = checked.inputFormat();
    SerializableSupplier<WireFormat.Reader<CompletionRequest>> reader =
        () -> format.reader(CompletionRequest.class);
    DataStream<SourceRecord> records =
        checked.deduplicateTtl().isZero()
            ? input
            : Deduplication.of(input, checked.deduplicateTtl(), reader);
    return of(records, new InferenceOperatorFactory(checked, engines, reader));
  }

  static Inference of(DataStream<SourceRecord> input, InferenceOperatorFactory factory) {
    return new Inference(
        input.transform(NAME, new AvroTypeInfo<>(CompletionRecord.class), factory).uid(UID));
  }

  /**
   * A reader for the source in front of the inference that gives nothing while the operator is
   * full. With another reader the operator makes its input wait inside of a record, where no
   * checkpoint can start until an answer is finished. Only for a source that is chained to the
   * operator; elsewhere it changes nothing.
   */
  public static <T, S extends SourceSplit> SourceReader<T, S> pausing(SourceReader<T, S> reader) {
    return new PausingReader<>(reader);
  }

  /** The completions, each with the key, the headers and the timestamp of its request's record. */
  public SingleOutputStreamOperator<CompletionRecord> completions() {
    return completions;
  }

  /** The records that could not be answered, and why. */
  public DataStream<Rejection> rejections() {
    return completions.getSideOutput(InferenceOperator.REJECTIONS);
  }

  /**
   * What each subtask did, at every checkpoint and once in every {@link
   * FlinferOptions#THROUGHPUT_INTERVAL}.
   */
  public DataStream<Throughput> throughput() {
    return completions.getSideOutput(InferenceOperator.THROUGHPUT);
  }
}
