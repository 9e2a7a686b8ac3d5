package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.Throughput;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import org.apache.flink.formats.avro.typeutils.AvroSerializer;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.mailbox.Mail;
import org.apache.flink.streaming.runtime.tasks.mailbox.TaskMailbox;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.util.OutputTag;
import org.apache.flink.util.function.ThrowingRunnable;

/** The operator in Flink's harness, with an engine that the test controls. */
final class OperatorHarness implements AutoCloseable {
  private static final int MAX_PARALLELISM = 8;

  final FakeEngine engine;
  final OneInputStreamOperatorTestHarness<SourceRecord, CompletionRecord> flink;

  private OperatorHarness(FakeEngine engine, int maxInFlight, int parallelism, int subtask)
      throws Exception {
    this(engine, maxInFlight, 0, parallelism, subtask);
  }

  private OperatorHarness(
      FakeEngine engine, int maxInFlight, long maxTokens, int parallelism, int subtask)
      throws Exception {
    this(
        engine,
        TestRecords.factory(maxInFlight, maxTokens, options -> engine),
        parallelism,
        subtask);
  }

  private OperatorHarness(
      FakeEngine engine, InferenceOperatorFactory factory, int parallelism, int subtask)
      throws Exception {
    this.engine = engine;
    flink = new OneInputStreamOperatorTestHarness<>(factory, MAX_PARALLELISM, parallelism, subtask);
    flink.setup(new AvroSerializer<>(CompletionRecord.class));
  }

  /** An open operator with an admission journal. */
  static OperatorHarness journaled(Path journal) throws Exception {
    FakeEngine engine = new FakeEngine();
    OperatorHarness harness =
        new OperatorHarness(
            engine, TestRecords.factory(8, 0, options -> engine, journal.toString()), 1, 0);
    harness.flink.open();
    return harness;
  }

  /** An operator that is not open yet. */
  static OperatorHarness closed(int maxInFlight) throws Exception {
    return new OperatorHarness(new FakeEngine(), maxInFlight, 1, 0);
  }

  static OperatorHarness opened(int maxInFlight) throws Exception {
    OperatorHarness harness = closed(maxInFlight);
    harness.flink.open();
    return harness;
  }

  /** An open operator with a limit of tokens as well. */
  static OperatorHarness opened(int maxInFlight, long maxTokens) throws Exception {
    OperatorHarness harness = new OperatorHarness(new FakeEngine(), maxInFlight, maxTokens, 1, 0);
    harness.flink.open();
    return harness;
  }

  static OperatorHarness restored(OperatorSubtaskState state, int maxInFlight) throws Exception {
    return restored(state, maxInFlight, 1, 1, 0);
  }

  /** A restored operator with an engine of another model. */
  static OperatorHarness restoredWith(String modelDigest, OperatorSubtaskState state)
      throws Exception {
    OperatorHarness harness = closed(8);
    harness.engine.become(modelDigest);
    harness.flink.initializeState(state);
    harness.flink.open();
    return harness;
  }

  /** One subtask's part of the state of an earlier run with another parallelism. */
  static OperatorHarness restored(
      OperatorSubtaskState state, int maxInFlight, int before, int parallelism, int subtask)
      throws Exception {
    OperatorHarness harness =
        new OperatorHarness(new FakeEngine(), maxInFlight, parallelism, subtask);
    harness.flink.initializeState(
        OneInputStreamOperatorTestHarness.repartitionOperatorState(
            state, MAX_PARALLELISM, before, parallelism, subtask));
    harness.flink.open();
    return harness;
  }

  /** Processes a record whose event time is an hour after the record's timestamp. */
  void process(long offset, String value) throws Exception {
    flink.processElement(TestRecords.record(offset, value), eventTime(offset));
  }

  static long eventTime(long offset) {
    return 3_600_000 + offset * 1000;
  }

  /** Runs the pending mails, as the task thread does between two records. */
  void runMails() throws Exception {
    Optional<Mail> mail = flink.getTaskMailbox().tryTake(TaskMailbox.MIN_PRIORITY);
    while (mail.isPresent()) {
      mail.get().run();
      mail = flink.getTaskMailbox().tryTake(TaskMailbox.MIN_PRIORITY);
    }
  }

  /** Has the engine finish these requests, and the operator take the results. */
  void finish(String... ids) throws Exception {
    engine.finish(ids);
    runMails();
  }

  /** Takes a checkpoint as the task does. */
  OperatorSubtaskState checkpoint(long id) throws Exception {
    flink.prepareSnapshotPreBarrier(id);
    return flink.snapshot(id, id);
  }

  List<CompletionRecord> completions() {
    return flink.extractOutputValues();
  }

  List<String> completedIds() {
    return completions().stream().map(record -> record.getCompletion().getId()).toList();
  }

  List<Rejection> rejections() {
    return sideOutput(InferenceOperator.REJECTIONS);
  }

  List<Throughput> throughput() {
    return sideOutput(InferenceOperator.THROUGHPUT);
  }

  private <T> List<T> sideOutput(OutputTag<T> tag) {
    Queue<StreamRecord<T>> records = flink.getSideOutput(tag);
    return records == null ? List.of() : records.stream().map(StreamRecord::getValue).toList();
  }

  /** Asserts which ids and watermarks were sent, in this order. */
  void assertOutput(Object... idsAndElements) {
    assertThat(flink.getOutput().stream().map(OperatorHarness::shortForm))
        .containsExactly(idsAndElements);
  }

  @SuppressWarnings("unchecked")
  private static Object shortForm(Object element) {
    if (element instanceof StreamRecord) {
      return ((StreamRecord<CompletionRecord>) element).getValue().getCompletion().getId();
    }
    return element instanceof Watermark watermark ? watermark.getTimestamp() : element;
  }

  @Override
  public void close() {
    ThrowingRunnable.unchecked(flink::close).run();
  }
}
