package dev.flinfer.flink;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamElement;

/**
 * Decides when an outcome or a watermark may be sent. Between two watermarks outcomes are sent when
 * they are finished; no outcome crosses a watermark in either direction. This is the order of
 * Flink's AsyncWaitOperator in unordered mode: a record that is late, or on time, stays so.
 *
 * <p>A watermark status keeps its place as well: while an output is idle, Flink drops its
 * watermarks and does not wait for its records.
 *
 * <p>Not thread-safe. The sinks must not call back.
 */
final class OutputQueue {

  /** Requests that have not been sent, and the watermark or status after them, null if none yet. */
  private static final class Segment {
    final Set<InFlight> requests = new LinkedHashSet<>();
    StreamElement barrier;
  }

  private final Deque<Segment> segments = new ArrayDeque<>();
  private final Consumer<InFlight> requestSink;
  private final Consumer<StreamElement> barrierSink;
  private int size;

  OutputQueue(Consumer<InFlight> requestSink, Consumer<StreamElement> barrierSink) {
    this.requestSink = requestSink;
    this.barrierSink = barrierSink;
    segments.add(new Segment());
  }

  /** Number of requests in the queue, including finished ones. */
  int size() {
    return size;
  }

  /** The requests in the queue, in the order of arrival. */
  List<InFlight> requests() {
    List<InFlight> all = new ArrayList<>(size);
    segments.forEach(segment -> all.addAll(segment.requests));
    return all;
  }

  void add(InFlight request) {
    segments.getLast().requests.add(request);
    size++;
  }

  void addBarrier(StreamElement barrier) {
    Segment last = segments.getLast();
    if (!last.requests.isEmpty()) {
      last.barrier = barrier;
      segments.add(new Segment());
    } else if (segments.size() == 1) {
      barrierSink.accept(barrier);
    } else {
      Iterator<Segment> fromLast = segments.descendingIterator();
      fromLast.next();
      Segment previous = fromLast.next();
      if (previous.barrier instanceof Watermark && barrier instanceof Watermark) {
        previous.barrier = barrier; // the later of two watermarks implies the earlier
      } else {
        last.barrier = barrier;
        segments.add(new Segment());
      }
    }
  }

  /** Sends the request's outcome now, or as soon as the watermark before it has been sent. */
  void finished(InFlight request) {
    if (segments.getFirst().requests.remove(request)) {
      emit(request);
      openSegments();
    }
  }

  private void openSegments() {
    while (segments.getFirst().requests.isEmpty() && segments.getFirst().barrier != null) {
      barrierSink.accept(segments.removeFirst().barrier);
      Iterator<InFlight> requests = segments.getFirst().requests.iterator();
      while (requests.hasNext()) {
        InFlight request = requests.next();
        if (request.isFinished()) {
          requests.remove();
          emit(request);
        }
      }
    }
  }

  private void emit(InFlight request) {
    size--;
    requestSink.accept(request);
  }
}
