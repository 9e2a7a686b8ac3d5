package dev.flinfer.engine.batching;

import dev.flinfer.engine.Requests;
import dev.flinfer.schema.CompletionRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Requests for tests of forward passes that fail on a token. */
final class PoisonedRequests {
  static final int POISON = 200; // in no other prompt, and never sampled

  private PoisonedRequests() {}

  /** Requests of all kinds over bytes below the poison. */
  static List<CompletionRequest> requests(int seed, int count) {
    Random random = new Random(seed);
    List<CompletionRequest> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      CompletionRequest request = Requests.random(random, "r" + i);
      request.setLogitBias(Map.of(Integer.toString(POISON), -100.0));
      request.setStopTokenIds(List.of());
      if (i % 5 == 4) {
        request.setN(1);
        request.setChoices(List.of("yes", "yesterday", "no"));
      }
      requests.add(request);
    }
    return requests;
  }

  /** Requests that take more than two steps. */
  static List<CompletionRequest> unlabelled(int count) {
    List<CompletionRequest> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      requests.add(Requests.greedy("r" + i, "prompt", 9).setIgnoreEos(true).build());
    }
    return requests;
  }

  /** A prompt that holds the poison, as its last token. */
  static CompletionRequest poisoned(String id, int length) {
    List<Integer> prompt = new ArrayList<>();
    for (int i = 1; i < length; i++) {
      prompt.add(i);
    }
    prompt.add(POISON);
    return Requests.greedy(id, null, 5).setPromptTokenIds(prompt).build();
  }
}
