package dev.flinfer.engine.tokenizer;

import java.util.regex.Pattern;

/** GPT-2's splitting of text into pieces. No token extends beyond its piece. */
final class PreTokenizer {
  /**
   * The pattern of GPT-2's encoder.py with white space as Unicode defines it: Java's {@code \s} is
   * ASCII only.
   */
  static final Pattern GPT2 =
      Pattern.compile(
          "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+"
              + "| ?[^\\p{IsWhite_Space}\\p{L}\\p{N}]+"
              + "|\\p{IsWhite_Space}+(?!\\P{IsWhite_Space})|\\p{IsWhite_Space}+");

  private PreTokenizer() {}
}
