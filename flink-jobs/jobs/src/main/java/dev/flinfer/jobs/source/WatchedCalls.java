package dev.flinfer.jobs.source;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
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
  @SuppressWarnings("unchecked") // the proxy implements that interface
  static <S extends SourceSplit> SplitEnumeratorContext<S> of(
      SplitEnumeratorContext<S> context, UnaryOperator<BiConsumer<Object, Throwable>> watch) {
    return (SplitEnumeratorContext<S>)
        Proxy.newProxyInstance(
            WatchedCalls.class.getClassLoader(),
            new Class<?>[] {SplitEnumeratorContext.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("callAsync")) {
                arguments[1] = watch.apply((BiConsumer<Object, Throwable>) arguments[1]);
              }
              try {
                return method.invoke(context, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
