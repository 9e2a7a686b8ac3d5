package dev.flinfer.engine;

/** A generation that has no tokens to save, of a prompt of one token. */
public abstract class TokenlessGeneration implements Generation {
  @Override
  public final GeneratedTokens progress() {
    return GeneratedTokens.NONE;
  }

  @Override
  public int promptTokens() {
    return 1;
  }
}
