package dev.flinfer.flink;

import java.util.concurrent.CompletableFuture;

/**
 * Informs the source of a chain whether the operators after it have room. While an operator waits
 * inside a record no checkpoint can start; a source that emits no records leaves the task free to
 * take one. Belongs to the task thread, in which source and operators run.
 */
final class Gate {
  private static final ThreadLocal<Gate> OF_TASK = ThreadLocal.withInitial(Gate::new);

  private int full;
  private CompletableFuture<Void> opened = CompletableFuture.completedFuture(null);

  /** The gate of the task that runs in this thread. */
  static Gate ofTask() {
    return OF_TASK.get();
  }

  /** A bar that one operator shuts and opens; the gate is open if all its bars are. */
  Bar bar() {
    return new Bar();
  }

  boolean isOpen() {
    return full == 0;
  }

  /** Completes when the gate opens; already complete if it is open. */
  CompletableFuture<Void> opened() {
    return opened;
  }

  final class Bar {
    private boolean shut;

    private Bar() {}

    void shutIf(boolean isFull) {
      if (isFull == shut) {
        return;
      }
      shut = isFull;
      full += isFull ? 1 : -1;
      if (full == 0) {
        opened.complete(null);
      } else if (opened.isDone()) {
        opened = new CompletableFuture<>();
      }
    }
  }
}
