package dev.flinfer.engine;

import dev.flinfer.schema.CompletionRequest;

/** Requests for tests. */
public final class Requests {
  private Requests() {}

  /** A greedy request for a number of tokens. */
  public static CompletionRequest.Builder greedy(String id, String prompt, int maxTokens) {
    return CompletionRequest.newBuilder()
        .setId(id)
        .setPrompt(prompt)
        .setMaxTokens(maxTokens)
        .setTemperature(0);
  }
}
