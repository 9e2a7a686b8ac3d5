package dev.flinfer.engine.tokenizer;

import java.nio.file.Path;

/** Byte-level BPE as Phi-2 has it. Thread-safe. */
public final class Tokenizer {
  private Tokenizer() {}

  /** Reads {@code tokenizer.json} of a model directory. */
  public static Tokenizer load(Path model) {
    throw new UnsupportedOperationException("being written: " + model);
  }

  /** The token ids of a text; added tokens in it are recognised, nothing is put in front. */
  public int[] encode(String text) {
    throw new UnsupportedOperationException("being written");
  }

  /**
   * The text of tokens; special tokens and unknown ids add nothing, broken UTF-8 becomes U+FFFD.
   */
  public String decode(int[] tokens) {
    throw new UnsupportedOperationException("being written");
  }

  /** Decodes token by token. */
  public IncrementalDecoder decoder() {
    throw new UnsupportedOperationException("being written");
  }

  /** Decodes token by token and never splits a character. Not thread-safe. */
  public interface IncrementalDecoder {
    /** The whole characters that this token completes; often empty. */
    String add(int token);

    /** What is left at the end, broken UTF-8 as U+FFFD. */
    String finish();
  }
}
