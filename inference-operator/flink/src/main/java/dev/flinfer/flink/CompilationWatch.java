package dev.flinfer.flink;

import java.util.function.Supplier;

/** Notes in the journal that a pattern is compiled. Used on the thread that compiles. */
final class CompilationWatch {
  /** Notes nothing. */
  static final CompilationWatch NONE = new CompilationWatch(() -> AdmissionJournal.Entry.NONE);

  private final Supplier<AdmissionJournal.Entry> beginning;
  private AdmissionJournal.Entry entry;

  CompilationWatch(Supplier<AdmissionJournal.Entry> beginning) {
    this.beginning = beginning;
  }

  void start() {
    entry = beginning.get();
  }

  /**
   * @param error that is not the pattern's; null if it is compiled or rejected
   */
  void end(Error error) {
    if (error == null) {
      entry.succeeded();
    } else {
      entry.failed();
    }
  }
}
