package dev.flinfer.engine.sampling;

import dev.flinfer.engine.InvalidRequestException;

/** Checks the fields of a request. Errors name the field, its value, the limit and the way out. */
final class Limits {
  private Limits() {}

  static void require(boolean holds, String field, Object value, String range) {
    if (!holds) {
      throw new InvalidRequestException("%s is %s; it must be %s".formatted(field, value, range));
    }
  }

  /**
   * Checks how many elements a field has.
   *
   * @param of the elements, such as {@code strings}
   * @param wayOut a sentence without its full stop
   */
  static void requireSize(String field, int size, String of, int max, String wayOut) {
    if (size > max) {
      throw new InvalidRequestException(
          "%s has %d %s; the maximum is %d. %s".formatted(field, size, of, max, wayOut));
    }
  }
}
