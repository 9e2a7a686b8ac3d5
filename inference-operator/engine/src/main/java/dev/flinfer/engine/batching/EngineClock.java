package dev.flinfer.engine.batching;

import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * The clocks of the engine.
 *
 * @param wall the time of day, for deadlines
 * @param nanos a monotonic clock with an arbitrary origin, for durations
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
