package dev.flinfer.jobs.source;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.function.BiConsumer;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;

/**
 * The enumerator of a bounded Kafka source that was restored. Kafka's own enumerator checks once
 * for new partitions and, if there are none, does not signal its readers that no more splits
 * follow: the job would answer all prompts and never end. This one sends the signal.
 */
final class EndingEnumerator<S extends SourceSplit, C> implements SplitEnumerator<S, C> {

  /** Creates the Kafka enumerator that this class corrects. */
  interface Restore<S extends SourceSplit, C> {
    SplitEnumerator<S, C> with(SplitEnumeratorContext<S> context) throws Exception;
  }

  private final SplitEnumeratorContext<S> context;
  private final SplitEnumerator<S, C> kafka;

  /**
   * Number of asynchronous calls by the Kafka enumerator; it makes a second one only if there are
   * new partitions.
   */
  private int calls;

  private boolean nothingMore;

  private EndingEnumerator(SplitEnumeratorContext<S> context, Restore<S, C> restore)
      throws Exception {
    this.context = context;
    this.kafka = restore.with(watched());
  }

  static <S extends SourceSplit, C> SplitEnumerator<S, C> restore(
      SplitEnumeratorContext<S> context, Restore<S, C> restore) throws Exception {
    return new EndingEnumerator<>(context, restore);
  }

  /**
   * Returns the context with asynchronous calls intercepted, to observe the result of the check for
   * new partitions.
   */
  @SuppressWarnings("unchecked") // the proxy implements that interface
  private SplitEnumeratorContext<S> watched() {
    return (SplitEnumeratorContext<S>)
        Proxy.newProxyInstance(
            EndingEnumerator.class.getClassLoader(),
            new Class<?>[] {SplitEnumeratorContext.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("callAsync")) {
                calls++;
                arguments[1] = watched((BiConsumer<Object, Throwable>) arguments[1]);
              }
              return call(method, arguments);
            });
  }

  private Object call(Method method, Object[] arguments) throws Throwable {
    try {
      return method.invoke(context, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private BiConsumer<Object, Throwable> watched(BiConsumer<Object, Throwable> handler) {
    return (partitions, failure) -> {
      int before = calls;
      handler.accept(partitions, failure);
      if (calls == before && before == 1) {
        nothingMore = true;
        context.registeredReaders().keySet().forEach(context::signalNoMoreSplits);
      }
    };
  }

  @Override
  public void start() {
    kafka.start();
  }

  @Override
  public void addReader(int subtask) {
    kafka.addReader(subtask); // gets its splits first
    if (nothingMore) {
      context.signalNoMoreSplits(subtask);
    }
  }

  @Override
  public void addSplitsBack(List<S> splits, int subtask) {
    kafka.addSplitsBack(splits, subtask);
  }

  @Override
  public void handleSplitRequest(int subtask, String host) {
    kafka.handleSplitRequest(subtask, host);
  }

  @Override
  public void handleSourceEvent(int subtask, SourceEvent event) {
    kafka.handleSourceEvent(subtask, event);
  }

  @Override
  public C snapshotState(long checkpointId) throws Exception {
    return kafka.snapshotState(checkpointId);
  }

  @Override
  public void notifyCheckpointComplete(long checkpointId) throws Exception {
    kafka.notifyCheckpointComplete(checkpointId);
  }

  @Override
  public void notifyCheckpointAborted(long checkpointId) throws Exception {
    kafka.notifyCheckpointAborted(checkpointId);
  }

  @Override
  public void close() throws IOException {
    kafka.close();
  }
}
