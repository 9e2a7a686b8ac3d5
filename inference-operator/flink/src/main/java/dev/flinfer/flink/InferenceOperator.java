package dev.flinfer.flink;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.InFlightRequest;
import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.RejectionStage;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.Throughput;
import dev.flinfer.schema.WireFormat;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
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
 * Completes the prompts of its input with the engine of its process. A custom operator, because
 * Flink's async operator can neither keep partial results in a checkpoint nor emit side outputs.
 *
 * <p>Runs in the task thread; {@link EngineResults} passes the engine's results to that thread.
 */
final class InferenceOperator extends AbstractStreamOperator<CompletionRecord>
    implements OneInputStreamOperator<SourceRecord, CompletionRecord>, BoundedOneInput {
  private static final long serialVersionUID = 1L;

  static final OutputTag<Rejection> REJECTIONS =
      new OutputTag<>("rejections", new AvroTypeInfo<>(Rejection.class));
  static final OutputTag<Throughput> THROUGHPUT =
      new OutputTag<>("throughput", new AvroTypeInfo<>(Throughput.class));

  /** Renaming this loses the requests in users' checkpoints. */
  private static final String STATE = "in-flight-requests";

  /** An engine ends its step before it closes; the longest steps take some seconds. */
  private static final Duration ENGINE_LIMIT = Duration.ofSeconds(60);

  private final OperatorOptions options;
  private final EngineSupplier engines;
  private final RequestReader reader;
  private final MailboxExecutor mailbox;
  private final EngineResults results;
  private final OutputQueue queue = new OutputQueue(this::emit, this::emitBarrier);

  /** Restored requests that the engine has no room for; as long as there are any, it is full. */
  private final Queue<InFlight> pending = new ArrayDeque<>();

  private ListState<InFlightRequest> state;
  private LlmEngine engine;
  private Gate.Bar bar;
  private Admission admission;
  private PoisonPills pills;
  private Submitter submitter;
  private Outcomes outcomes;
  private boolean reusesObjects;

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
    results = new EngineResults(mailbox, options.maxAttempts(), this::takeResults);
  }

  @Override
  public void initializeState(StateInitializationContext context) throws Exception {
    super.initializeState(context);
    // When the parallelism changes, Flink assigns each request to one of the subtasks.
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
    long kvTokens = (long) engine.stats().kvBlocksTotal() * ForwardPass.BLOCK_SIZE;
    admission = new Admission(options.admission().orKvCache(kvTokens));
    pending.forEach(restored -> admission.arrived());
    InFlight.discardTokensOfOtherModels(engine.model(), pending);
    outcomes = outcomes(engine); // an argument, since the suppliers outlive the field
    reusesObjects = getExecutionConfig().isObjectReuseEnabled();
    pills =
        options.poisonPills(
            getContainingTask().getEnvironment().getTaskManagerInfo(),
            getRuntimeContext().getJobInfo().getJobName());
    submitter = new Submitter(reader, results, engine, pills);
    submitPending();
  }

  private Outcomes outcomes(LlmEngine opened) {
    long now = getProcessingTimeService().getCurrentProcessingTime();
    int subtask = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
    ThroughputWindow window = new ThroughputWindow(subtask, opened.model(), now, opened.stats());
    return new Outcomes(
        output,
        new InferenceMetrics(getMetricGroup(), admission::unfinished, opened::stats),
        window,
        new ThroughputReporter(
            getProcessingTimeService(),
            options.throughputInterval(),
            end -> window.close(end, opened.stats()),
            output));
  }

  @Override
  public void processElement(StreamRecord<SourceRecord> element) throws Exception {
    SourceRecord record = element.getValue();
    if (record.getValue() == null) {
      outcomes.tombstone();
      return;
    }
    while (admission.isFull()) {
      mailbox.yield();
    }
    InFlight request =
        InFlight.arrived(
            reusesObjects ? SourceRecords.copy(record) : record,
            element.hasTimestamp() ? element.getTimestamp() : null);
    queue.add(request);
    admission.arrived();
    submit(request);
    admission.count(pending.size());
    bar.shutIf(admission.isFull());
  }

  private void submitPending() {
    while (!pending.isEmpty() && !admission.engineIsFull()) {
      submit(pending.remove());
    }
    admission.count(pending.size());
    bar.shutIf(admission.isFull());
  }

  /** Submits the request to the engine, or rejects it. */
  private void submit(InFlight request) {
    Submitter.Refusal refusal;
    try {
      refusal = submitter.submit(request);
    } catch (EngineException e) {
      throw failure(e);
    }
    if (refusal == null) {
      admission.submitted(request);
    } else {
      reject(request, refusal.stage(), refusal.why(), refusal.id());
    }
  }

  private void reject(InFlight request, RejectionStage stage, RuntimeException why, String id) {
    request.reject(stage, why, id);
    queue.finished(request);
  }

  private static EngineException failure(EngineException cause) {
    String after = "; the task fails so that Flink restarts it from the last checkpoint";
    return new EngineException(cause.getMessage() + after, cause);
  }

  /** Takes the engine's finished results, and submits pending requests in their place. */
  private void takeResults() {
    for (EngineResults.Result result = results.poll(); result != null; result = results.poll()) {
      InFlight request = result.request();
      if (result.failure() instanceof EngineException) {
        throw failure((EngineException) result.failure());
      }
      admission.finished(request);
      if (result.failure() == null) {
        request.complete(result.completion());
        queue.finished(request);
      } else {
        reject(request, result.stage(), result.failure(), request.id());
      }
    }
    submitPending();
  }

  private void emit(InFlight request) {
    admission.emitted(request);
    outcomes.emit(request);
  }

  private void emitBarrier(StreamElement barrier) {
    outcomes.emitBarrier(barrier);
  }

  @Override
  public void processWatermark(Watermark mark) {
    queue.addBarrier(mark);
  }

  @Override
  public void processWatermarkStatus(WatermarkStatus status) {
    queue.addBarrier(status);
  }

  /**
   * Sends the outcomes that are finished by now before the barrier, so that they need not be in the
   * checkpoint, and a report of all outcomes since the last report.
   */
  @Override
  public void prepareSnapshotPreBarrier(long checkpointId) throws Exception {
    super.prepareSnapshotPreBarrier(checkpointId);
    takeResults();
    if (engine.failed()) { // with a full heap it may have failed to say so
      throw failure(
          new EngineException("The engine for model %s failed".formatted(engine.model().name())));
    }
    outcomes.report();
  }

  @Override
  public void snapshotState(StateSnapshotContext context) throws Exception {
    super.snapshotState(context);
    List<InFlightRequest> requests = new ArrayList<>(queue.size());
    for (InFlight request : queue.requests()) {
      requests.add(request.state());
    }
    state.update(requests);
    pills.snapshot(context.getCheckpointId());
  }

  @Override
  public void notifyCheckpointComplete(long checkpointId) throws Exception {
    super.notifyCheckpointComplete(checkpointId);
    pills.completed(checkpointId);
  }

  @Override
  public void endInput() throws Exception {
    while (queue.size() > 0) {
      mailbox.yield();
    }
    outcomes.end();
  }

  /** Also called when the task is canceled, has failed, or has not completed open. */
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
    TaskCleanup.close(
        "engine",
        () -> {
          try {
            queue.requests().forEach(InFlight::cancel);
          } finally {
            share.close();
          }
        },
        ENGINE_LIMIT);
  }
}
