package dev.flinfer.flink;

import java.util.concurrent.CompletableFuture;

/**
 * Tells the source of a chain whether the operators behind it have room. While an operator waits
 * inside of a record no checkpoint can start; a source that hands out no record leaves the task
 * free for one. Belongs to the task thread, in which source and operators run.
 */
final class Gate {
  private static final ThreadLocal<Gate> OF_TASK = ThreadLocal.withInitial(Gate::new);

  private int full;
  private CompletableFuture<Void> opened = CompletableFuture.completedFuture(null);

  /** The gate of the task that this thread runs. */
  static Gate ofTask() {
    return OF_TASK.get();
  }

  /** A side of the gate that one operator shuts and opens. */
  Bar bar() {
    return new Bar();
  }

  boolean isOpen() {
    return full == 0;
  }

  /** Completes when the gate is open; complete where it is. */
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
