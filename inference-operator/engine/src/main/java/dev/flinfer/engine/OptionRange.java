package dev.flinfer.engine;

import java.util.function.Predicate;

/**
 * Which values of its type an option takes.
 *
 * @param check whether it takes a value
 * @param words the same for a message, after "it must be"; empty if every value is taken
 * @param zero what 0 stands for, if it stands for something; otherwise empty
 */
public record OptionRange<T>(Predicate<? super T> check, String words, String zero) {

  static OptionRange<Object> any() {
    return new OptionRange<>(value -> true, "", "");
  }

  static OptionRange<Number> atLeast(long least) {
    return new OptionRange<>(value -> value.longValue() >= least, "at least " + least, "");
  }

  /** At least 1, or 0 for what is not known before the model and the machine are. */
  static OptionRange<Number> atLeastOneOrZeroFor(String meaning) {
    return new OptionRange<>(
        value -> value.longValue() >= 0, "at least 1, or 0 for " + meaning, meaning);
  }
}
