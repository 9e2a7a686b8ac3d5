package dev.flinfer.engine;

import java.util.function.Predicate;

/**
 * The values of its type that an option accepts.
 *
 * @param check whether it accepts a value
 * @param words the same for a message, after "it must be"; empty if it accepts every value
 * @param zero the special meaning of 0; empty if it has none
 */
public record OptionRange<T>(Predicate<? super T> check, String words, String zero) {

  static OptionRange<Object> any() {
    return new OptionRange<>(value -> true, "", "");
  }

  static OptionRange<Number> atLeast(long least) {
    return new OptionRange<>(value -> value.longValue() >= least, "at least " + least, "");
  }

  /** At least 1, or 0 for a value that depends on the model or the machine. */
  static OptionRange<Number> atLeastOneOrZeroFor(String meaning) {
    return new OptionRange<>(
        value -> value.longValue() >= 0, "at least 1, or 0 for " + meaning, meaning);
  }
}
