package dev.flinfer.engine.choices;

import dev.flinfer.engine.InvalidRequestException;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** How labels of different lengths are compared. Names and formulas are SGLang's. */
public enum ChoicesMethod {
  /** By the mean log-probability of the label's tokens. */
  TOKEN_LENGTH_NORMALIZED,

  /** By the first token that differs; for a label that has ended, by its mean. */
  GREEDY_TOKEN_SELECTION,

  /** As the first, but with the log-probability of each token without the prompt subtracted. */
  UNCONDITIONAL_LIKELIHOOD_NORMALIZED;

  /**
   * The method of a request.
   *
   * @throws InvalidRequestException naming the field, its value and the methods
   */
  static ChoicesMethod of(String name) {
    return Stream.of(values())
        .filter(method -> method.label().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new InvalidRequestException(
                    "choices_method is %s; it must be one of %s"
                        .formatted(
                            name,
                            Stream.of(values())
                                .map(ChoicesMethod::label)
                                .collect(Collectors.joining(", ")))));
  }

  private String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
