package dev.flinfer.jobs.source;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** Forwards the methods of an interface of Flink, of which the job changes one or two. */
final class Forwarding {
  private Forwarding() {}

  /** Calls the original method, with the arguments as they are by then. */
  @FunctionalInterface
  interface Original {
    Object get() throws Throwable;
  }

  /** Replaces or calls the original method. */
  @FunctionalInterface
  interface Change {
    Object call(String method, Object[] arguments, Original original) throws Throwable;
  }

  static <T> T to(Class<T> type, Object target, Change change) {
    return type.cast(
        Proxy.newProxyInstance(
            Forwarding.class.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) ->
                change.call(
                    method.getName(),
                    arguments,
                    () -> {
                      try {
                        return method.invoke(target, arguments);
                      } catch (InvocationTargetException e) {
                        throw e.getCause();
                      }
                    })));
  }
}
