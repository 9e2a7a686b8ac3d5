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
 * <p>Every record with a value has exactly one outcome, a completion or a rejection; a record
 * without a value, a tombstone, is skipped. Completions are emitted in the order in which they
 * finish. No outcome passes a watermark: a watermark waits for the outcomes of all records before
 * it, and the outcomes of all records after it wait for the watermark.
 *
 * <p>A checkpoint contains the requests in flight with the tokens generated so far. After a restore
 * they continue from there, also with another parallelism.
 *
 * <p>The operator chains to the upstream operator. Do not break this chain, and make the source's
 * reader {@link #pausing}: after a shuffle, aligned checkpoints wait for all requests that are
 * buffered before the operator. {@link FlinferOptions#DEDUPLICATE_TTL} adds such a shuffle; use
 * unaligned checkpoints with it.
 */
public final class Inference {

  /** The uid of the operator, by which Flink finds its state in a savepoint. */
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
   * As {@link #of(DataStream, ReadableConfig)}, with typed options of the engine; all other options
   * have their defaults.
   */
  public static Inference of(DataStream<SourceRecord> input, EngineOptions engine) {
    return of(input, engine, new Configuration(), EngineSupplier.shared());
  }

  /**
   * As {@link #of(DataStream, EngineOptions)}, with engines of the caller's choice.
   *
   * @param options the operator's options of {@link FlinferOptions}; it must set none of the
   *     engine's
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
   * Wraps the reader of a source that is chained to the operator, so that it emits nothing while
   * the operator is full. With any other reader a full operator blocks while it processes a record,
   * and no checkpoint can start until a request finishes. Without the chain it has no effect.
   */
  public static <T, S extends SourceSplit> SourceReader<T, S> pausing(SourceReader<T, S> reader) {
    return new PausingReader<>(reader);
  }

  /** The completions, each with the key, the headers and the timestamp of its request's record. */
  public SingleOutputStreamOperator<CompletionRecord> completions() {
    return completions;
  }

  /** The records that could not be completed, with the reasons. */
  public DataStream<Rejection> rejections() {
    return completions.getSideOutput(InferenceOperator.REJECTIONS);
  }

  /**
   * The throughput of each subtask, at every checkpoint and once in every {@link
   * FlinferOptions#THROUGHPUT_INTERVAL}.
   */
  public DataStream<Throughput> throughput() {
    return completions.getSideOutput(InferenceOperator.THROUGHPUT);
  }
}
