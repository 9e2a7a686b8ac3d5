package dev.flinfer.engine.batching;

import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * The engine's time.
 *
 * @param wall the time of day, which deadlines name
 * @param nanos a clock that only goes forward, for durations; its zero means nothing
 */
record EngineClock(InstantSource wall, LongSupplier nanos) {
  /** The machine's clocks. */
  static EngineClock system() {
    return new EngineClock(InstantSource.system(), System::nanoTime);
  }

  /** Milliseconds since 1970. */
  long millis() {
    return wall.millis();
  }

  /** Nanoseconds, for durations. */
  long nanoTime() {
    return nanos.getAsLong();
  }
}
