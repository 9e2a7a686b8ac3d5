package dev.flinfer.jobs.source;

import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;

/** Replaces what handles the results of an enumerator's asynchronous calls. */
final class WatchedCalls {
  private WatchedCalls() {}

  /**
   * Returns the context, except that it handles results with what {@code watch} makes of the
   * enumerator's own handler, once for each call.
   */
  @SuppressWarnings("unchecked") // the types of the interface
  static <S extends SourceSplit> SplitEnumeratorContext<S> of(
      SplitEnumeratorContext<S> context, UnaryOperator<BiConsumer<Object, Throwable>> watch) {
    return Forwarding.to(
        SplitEnumeratorContext.class,
        context,
        (method, arguments, original) -> {
          if (method.equals("callAsync")) {
            arguments[1] = watch.apply((BiConsumer<Object, Throwable>) arguments[1]);
          }
          return original.get();
        });
  }
}
