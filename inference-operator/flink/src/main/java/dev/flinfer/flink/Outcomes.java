package dev.flinfer.flink;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.SourceRecord;
import org.apache.flink.streaming.api.operators.Output;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamElement;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;

/** Sends and counts the outcomes of requests. Belongs to the task thread. */
final class Outcomes {
  private final Output<StreamRecord<CompletionRecord>> output;
  private final InferenceMetrics metrics;
  private final ThroughputWindow window;
  private final ThroughputReporter reporter;

  Outcomes(
      Output<StreamRecord<CompletionRecord>> output,
      InferenceMetrics metrics,
      ThroughputWindow window,
      ThroughputReporter reporter) {
    this.output = output;
    this.metrics = metrics;
    this.window = window;
    this.reporter = reporter;
  }

  void emit(InFlight request) {
    Completion completion = request.completion();
    if (completion == null) {
      metrics.rejected();
      window.rejected();
      output.collect(InferenceOperator.REJECTIONS, request.element(request.rejection()));
    } else {
      metrics.completed(completion);
      window.completed(completion);
      SourceRecord record = request.record;
      output.collect(
          request.element(new CompletionRecord(record.getKey(), record.getHeaders(), completion)));
    }
  }

  void emitBarrier(StreamElement barrier) {
    if (barrier instanceof Watermark watermark) {
      output.emitWatermark(watermark);
    } else {
      output.emitWatermarkStatus((WatermarkStatus) barrier);
    }
  }

  void tombstone() {
    metrics.tombstone();
  }

  /**
   * Reports the outcomes since the last report, if there are any. Called before every barrier, so
   * that the reports of a transaction add up to the outcomes in it.
   */
  void report() {
    if (!window.isEmpty()) {
      reporter.report();
    }
  }

  /** Ends the regular reports and sends the last one. */
  void end() {
    reporter.stop();
    report();
  }
}
