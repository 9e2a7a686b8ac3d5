package dev.flinfer.engine;

import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Decides which errors of the virtual machine are the fault of the one request on which a thread
 * works: a text that is nested too deeply for the stack, or an object that is too large for the
 * heap. Such an error must end the request and nothing else. All other errors, such as a missing
 * class, would occur for other requests too.
 */
public final class RequestErrors {
  /** Another request may have filled the heap in the same moment. */
  private static final int ATTEMPTS = 3;

  /** If the heap has no room for this many bytes, no single request is the cause. */
  private static final int PROBE_BYTES = 1 << 20;

  private RequestErrors() {}

  /**
   * Runs work for one request. If the heap does not suffice, it is tried {@value #ATTEMPTS} times.
   *
   * @param failure converts an error of the request into the exception that is thrown
   * @throws Error if it is not the request's
   */
  public static <T> T confine(Supplier<T> work, Function<Error, RuntimeException> failure) {
    for (int attempt = 1; ; attempt++) {
      try {
        return work.get();
      } catch (OutOfMemoryError e) {
        requireOfRequest(e);
        if (attempt == ATTEMPTS) {
          throw failure.apply(e);
        }
      } catch (StackOverflowError e) {
        throw failure.apply(e);
      }
    }
  }

  /** Throws what was caught if it is an error and not the request's. */
  public static void requireOfRequest(Throwable caught) {
    if (caught instanceof Error error && !isOfRequest(error)) {
      throw error;
    }
  }

  private static boolean isOfRequest(Error error) {
    return error instanceof StackOverflowError
        || (error instanceof OutOfMemoryError
            && !isOutsideHeap(error.getMessage())
            && heapHasRoom());
  }

  private static boolean isOutsideHeap(String message) {
    return message != null
        && (message.contains("Metaspace")
            || message.contains("class space")
            || message.contains("native thread")
            || message.contains("direct buffer"));
  }

  private static boolean heapHasRoom() {
    try {
      byte[] probe = new byte[PROBE_BYTES];
      return probe.length == PROBE_BYTES;
    } catch (OutOfMemoryError e) {
      return false;
    }
  }
}
