package dev.flinfer.flink;

import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.WireFormat;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.util.function.SerializableSupplier;

/** Creates the operator on the TaskManager, where its mailbox is. */
final class InferenceOperatorFactory extends AbstractStreamOperatorFactory<CompletionRecord>
    implements OneInputStreamOperatorFactory<SourceRecord, CompletionRecord> {
  private static final long serialVersionUID = 1L;

  private final OperatorOptions options;
  private final EngineSupplier engines;
  private final SerializableSupplier<WireFormat.Reader<CompletionRequest>> reader;

  InferenceOperatorFactory(
      OperatorOptions options,
      EngineSupplier engines,
      SerializableSupplier<WireFormat.Reader<CompletionRequest>> reader) {
    this.options = options;
    this.engines = engines;
    this.reader = reader;
    setChainingStrategy(ChainingStrategy.ALWAYS);
  }

  @Override
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // the interface declares it so
  public <T extends StreamOperator<CompletionRecord>> T createStreamOperator(
      StreamOperatorParameters<CompletionRecord> parameters) {
    return (T) new InferenceOperator(parameters, options, engines, reader.get());
  }

  @Override
  public Class<? extends StreamOperator<CompletionRecord>> getStreamOperatorClass(
      ClassLoader classLoader) {
    return InferenceOperator.class;
  }
}
