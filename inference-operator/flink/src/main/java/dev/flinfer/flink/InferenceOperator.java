package dev.flinfer.flink;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.InFlightRequest;
import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.RejectionStage;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.Throughput;
import dev.flinfer.schema.WireFormat;
import dev.flinfer.schema.WireFormatException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.formats.avro.typeutils.AvroSerializer;
import org.apache.flink.formats.avro.typeutils.AvroTypeInfo;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamElement;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.util.OutputTag;

/**
 * Completes the prompts of its input with the engine of its process. An operator of its own, since
 * the stock async operator can neither keep half-done work in a checkpoint nor emit side outputs.
 *
 * <p>Everything here runs in the task thread. The engine's thread only reaches {@link
 * EngineResults}, which brings its results here through the mailbox.
 */
final class InferenceOperator extends AbstractStreamOperator<CompletionRecord>
    implements OneInputStreamOperator<SourceRecord, CompletionRecord>, BoundedOneInput {
  private static final long serialVersionUID = 1L;

  static final OutputTag<Rejection> REJECTIONS =
      new OutputTag<>("rejections", new AvroTypeInfo<>(Rejection.class));
  static final OutputTag<Throughput> THROUGHPUT =
      new OutputTag<>("throughput", new AvroTypeInfo<>(Throughput.class));

  /** Renaming it loses the requests that are in users' checkpoints. */
  private static final String STATE = "in-flight-requests";

  /**
   * Answers that wait for a watermark take no place in the engine, but memory: there may be this
   * many times max-in-flight of them before the input waits too.
   */
  private static final long MOST_HELD = 8;

  private final OperatorOptions options;
  private final EngineSupplier engines;
  private final RequestReader reader;
  private final MailboxExecutor mailbox;
  private final EngineResults results;
  private final OutputQueue queue = new OutputQueue(this::emit, this::emitBarrier);

  /** Restored requests that find no place in the engine; as long as there are any, it is full. */
  private final Queue<InFlight> pending = new ArrayDeque<>();

  private ListState<InFlightRequest> state;
  private LlmEngine engine;
  private InferenceMetrics inferenceMetrics;
  private ThroughputWindow window;
  private ThroughputReporter reporter;
  private TypeSerializer<SourceRecord> recordCopier;
  private Gate.Bar bar;
  private int inEngine;

  /** For the gauge, which other threads read: {@link #inEngine} and {@link #pending}. */
  private volatile int unfinished;

  InferenceOperator(
      StreamOperatorParameters<CompletionRecord> parameters,
      OperatorOptions options,
      EngineSupplier engines,
      WireFormat.Reader<CompletionRequest> format) {
    super(parameters);
    this.options = options;
    this.engines = engines;
    this.reader = new RequestReader(format);
    mailbox = parameters.getMailboxExecutor();
    results = new EngineResults(mailbox, this::takeResults);
  }

  @Override
  public void initializeState(StateInitializationContext context) throws Exception {
    super.initializeState(context);
    // Split over the subtasks when the parallelism changes, each request to one of them.
    state =
        context
            .getOperatorStateStore()
            .getListState(
                new ListStateDescriptor<>(STATE, new AvroSerializer<>(InFlightRequest.class)));
    for (InFlightRequest request : state.get()) {
      InFlight restored = InFlight.restored(request);
      queue.add(restored);
      pending.add(restored);
    }
  }

  @Override
  public void open() throws Exception {
    super.open();
    engine = engines.acquire(options.engine());
    bar = Gate.ofTask().bar();
    long now = getProcessingTimeService().getCurrentProcessingTime();
    int subtask = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
    window = new ThroughputWindow(subtask, engine.model(), now, engine.stats());
    LlmEngine opened = engine; // the gauges outlive the field
    inferenceMetrics = new InferenceMetrics(getMetricGroup(), () -> unfinished, opened::stats);
    if (getExecutionConfig().isObjectReuseEnabled()) {
      recordCopier = new AvroSerializer<>(SourceRecord.class);
    }
    reporter =
        new ThroughputReporter(
            getProcessingTimeService(),
            options.throughputInterval(),
            end -> window.close(end, opened.stats()),
            output);
    submitPending();
  }

  @Override
  public void processElement(StreamRecord<SourceRecord> element) throws Exception {
    SourceRecord record = element.getValue();
    if (record.getValue() == null) {
      inferenceMetrics.tombstone();
      return;
    }
    while (isFull()) {
      mailbox.yield();
    }
    InFlight request =
        InFlight.arrived(
            recordCopier == null ? record : recordCopier.copy(record),
            element.hasTimestamp() ? element.getTimestamp() : null);
    queue.add(request);
    submit(request);
    bar.shutIf(isFull());
  }

  private boolean isFull() {
    return inEngine >= options.maxInFlight() || queue.size() >= MOST_HELD * options.maxInFlight();
  }

  private void submitPending() {
    while (!pending.isEmpty() && inEngine < options.maxInFlight()) {
      submit(pending.remove());
    }
    countUnfinished();
    bar.shutIf(isFull());
  }

  /** Hands the request to the engine, or rejects it. */
  private void submit(InFlight request) {
    CompletionRequest parsed;
    try {
      parsed = reader.read(request.record);
    } catch (WireFormatException e) {
      reject(request, RejectionStage.DESERIALIZE, e, e.recordId());
      return;
    }
    try {
      request.submitted(engine.submit(parsed, request.resumeFrom(), results.listener(request)));
    } catch (InvalidRequestException e) {
      reject(request, RejectionStage.VALIDATE, e, parsed.getId());
      return;
    } catch (EngineException e) {
      throw failure(e);
    }
    inEngine++;
    countUnfinished();
  }

  private void reject(
      InFlight request, RejectionStage stage, RuntimeException why, String requestId) {
    request.reject(stage, why, requestId);
    queue.finished(request);
  }

  private static EngineException failure(EngineException cause) {
    return new EngineException(
        cause.getMessage() + "; the task fails so that Flink restarts it from the last checkpoint",
        cause);
  }

  /** Takes over what the engine has finished, and gives the places to waiting requests. */
  private void takeResults() {
    for (EngineResults.Result result = results.poll(); result != null; result = results.poll()) {
      if (result.failure() != null) {
        throw failure(result.failure());
      }
      InFlight request = result.request();
      request.complete(result.completion());
      inEngine--;
      queue.finished(request);
    }
    submitPending();
  }

  private void countUnfinished() {
    unfinished = inEngine + pending.size();
  }

  private void emit(InFlight request) {
    Completion completion = request.completion();
    if (completion == null) {
      inferenceMetrics.rejected();
      window.rejected();
      output.collect(REJECTIONS, request.element(request.rejection()));
    } else {
      inferenceMetrics.completed(completion);
      window.completed(completion);
      SourceRecord record = request.record;
      output.collect(
          request.element(new CompletionRecord(record.getKey(), record.getHeaders(), completion)));
    }
  }

  private void emitBarrier(StreamElement barrier) {
    if (barrier instanceof Watermark watermark) {
      output.emitWatermark(watermark);
    } else {
      output.emitWatermarkStatus((WatermarkStatus) barrier);
    }
  }

  @Override
  public void processWatermark(Watermark mark) {
    queue.addBarrier(mark);
  }

  @Override
  public void processWatermarkStatus(WatermarkStatus status) {
    queue.addBarrier(status);
  }

  /** What is finished by now goes out before the barrier and need not be in the checkpoint. */
  @Override
  public void prepareSnapshotPreBarrier(long checkpointId) throws Exception {
    super.prepareSnapshotPreBarrier(checkpointId);
    takeResults();
  }

  @Override
  public void snapshotState(StateSnapshotContext context) throws Exception {
    super.snapshotState(context);
    List<InFlightRequest> requests = new ArrayList<>(queue.size());
    for (InFlight request : queue.requests()) {
      requests.add(request.state());
    }
    state.update(requests);
  }

  @Override
  public void endInput() throws Exception {
    while (queue.size() > 0) {
      mailbox.yield();
    }
    reporter.stop();
    if (!window.isEmpty()) {
      reporter.report();
    }
  }

  /** Also called when the task is cancelled, has failed, or has not come to the end of open. */
  @Override
  public void close() throws Exception {
    try {
      if (bar != null) {
        bar.shutIf(false);
      }
      releaseEngine();
    } finally {
      super.close();
    }
  }

  private void releaseEngine() {
    if (engine == null) {
      return;
    }
    LlmEngine share = engine;
    engine = null;
    try {
      queue.requests().forEach(InFlight::cancel);
    } finally {
      share.close();
    }
  }
}
