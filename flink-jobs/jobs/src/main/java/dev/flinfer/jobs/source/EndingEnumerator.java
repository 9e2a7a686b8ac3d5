package dev.flinfer.jobs.source;

import java.util.function.BiConsumer;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;

/**
 * The enumerator of a bounded Kafka source that was restored. Kafka's own enumerator checks once
 * for new partitions and, if there are none, does not signal its readers that no more splits
 * follow: the job would answer all prompts and never end. This one sends the signal.
 */
final class EndingEnumerator<S extends SourceSplit, C> extends GuardedEnumerator<S, C> {

  /** Creates the Kafka enumerator that this class corrects. */
  interface Restore<S extends SourceSplit, C> {
    SplitEnumerator<S, C> with(SplitEnumeratorContext<S> context) throws Exception;
  }

  private final Watch<S> watch;

  private EndingEnumerator(SplitEnumerator<S, C> kafka, Watch<S> watch) {
    super(kafka);
    this.watch = watch;
  }

  static <S extends SourceSplit, C> SplitEnumerator<S, C> restore(
      SplitEnumeratorContext<S> context, Restore<S, C> restore) throws Exception {
    Watch<S> watch = new Watch<>(context);
    return new EndingEnumerator<>(restore.with(watch.context()), watch);
  }

  /** Observes the result of the Kafka enumerator's check for new partitions. */
  private static final class Watch<S extends SourceSplit> {
    private final SplitEnumeratorContext<S> context;

    /**
     * Number of asynchronous calls by the Kafka enumerator; it makes a second one only if there are
     * new partitions.
     */
    private int calls;

    private boolean nothingMore;

    Watch(SplitEnumeratorContext<S> context) {
      this.context = context;
    }

    SplitEnumeratorContext<S> context() {
      return WatchedCalls.of(context, this::watched);
    }

    private BiConsumer<Object, Throwable> watched(BiConsumer<Object, Throwable> handler) {
      calls++;
      return (partitions, failure) -> {
        int before = calls;
        handler.accept(partitions, failure);
        if (calls == before && before == 1) {
          nothingMore = true;
          context.registeredReaders().keySet().forEach(context::signalNoMoreSplits);
        }
      };
    }
  }

  @Override
  public void addReader(int subtask) {
    super.addReader(subtask); // gets its splits first
    if (watch.nothingMore) {
      watch.context.signalNoMoreSplits(subtask);
    }
  }
}
