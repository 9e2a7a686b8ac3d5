package dev.flinfer.cli.soak;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.function.Supplier;

/** A fault of a process, a connection or the disk. It is in effect from begin to end. */
final class Fault {
  private final String kind;
  private final String target;
  private final Supplier<Runnable> begin;
  private Runnable end;

  /**
   * @param begin lets it take effect, and returns what ends it
   */
  private Fault(String kind, String target, Supplier<Runnable> begin) {
    this.kind = kind;
    this.target = target;
    this.begin = begin;
  }

  /** Returns the faults that can be done to a process. */
  static List<Fault> of(Child child) {
    List<Fault> faults = new ArrayList<>();
    faults.add(
        new Fault(
            "kill -9",
            child.name(),
            () -> {
              child.kill();
              return child::release;
            }));
    faults.add(signal("freeze", child, Signals::freeze));
    faults.add(signal("slow down", child, Signals::slowDown));
    if (Signals.canFillDisk()) {
      faults.add(signal("full disk", child, Signals::fillDisk));
    }
    return faults;
  }

  private static Fault signal(String kind, Child child, LongFunction<Signals> signals) {
    return new Fault(
        kind,
        child.name(),
        () -> {
          child.keepDown();
          Signals signal = signals.apply(child.pid());
          return () -> {
            signal.close();
            child.release();
          };
        });
  }

  /** Returns the faults of a connection. */
  static List<Fault> of(Link link) {
    return List.of(link("cut off", link, Link::cut), link("stall", link, Link::stall));
  }

  private static Fault link(String kind, Link link, Consumer<Link> action) {
    return new Fault(
        kind,
        link.name(),
        () -> {
          action.accept(link);
          return link::open;
        });
  }

  /** Returns the fault of a disk that others keep busy. */
  static Fault ofDisk(Path directory) {
    return new Fault("slow", "disk", () -> new BusyDisk(directory)::close);
  }

  void begin() {
    end = begin.get();
  }

  void end() {
    end.run();
  }

  String target() {
    return target;
  }

  @Override
  public String toString() {
    return kind + " " + target;
  }
}
