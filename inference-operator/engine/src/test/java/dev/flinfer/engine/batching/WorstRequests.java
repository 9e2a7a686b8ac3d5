package dev.flinfer.engine.batching;

import static dev.flinfer.engine.EngineOption.ENABLE_PREFIX_CACHING;
import static dev.flinfer.engine.EngineOption.MAX_NUM_SEQS;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.Requests;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.StructuredOutputs;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Prints how long a request for one token waits for the most expensive requests that are valid,
 * with Phi-2's vocabulary and context and a forward pass that takes no time: what the engine itself
 * takes. A program, which no build runs.
 */
public final class WorstRequests {
  private static final int CONTEXT = 2048;

  private WorstRequests() {}

  public static void main(String[] args) throws Exception {
    EngineOptions options =
        EngineOptions.builder("random:phi-2")
            .set(MAX_NUM_SEQS, 32)
            .set(ENABLE_PREFIX_CACHING, args.length == 0)
            .build();
    for (Map.Entry<String, CompletionRequest> worst : requests().entrySet()) {
      try (LlmEngine engine = LlmEngine.openFree(options)) {
        get(engine, Requests.greedy("warm", "x", 500).setIgnoreEos(true).build());
        print(engine, worst.getKey(), worst.getValue());
      }
    }
  }

  private static void print(LlmEngine engine, String name, CompletionRequest worst)
      throws Exception {
    double longest = 0;
    long most = 0;
    for (int i = 0; i < 5; i++) {
      CompletableFuture<Completion> done = new CompletableFuture<>();
      Generation generation =
          engine.submit(worst, GeneratedTokens.NONE, new Requests.FutureListener(done));
      TimeUnit.MILLISECONDS.sleep(100 + 200 * i);
      long steps = engine.stats().steps();
      long start = System.nanoTime();
      get(engine, Requests.greedy("short", "a short prompt", 1).build());
      longest = Math.max(longest, (System.nanoTime() - start) / 1e6);
      most = Math.max(most, engine.stats().steps() - steps);
      generation.cancel();
    }
    System.out.printf("%-60s %8.1f ms %6d steps%n", name, longest, most);
  }

  private static Map<String, CompletionRequest> requests() {
    Map<String, CompletionRequest> all = new LinkedHashMap<>();
    all.put("128 outputs of 2,000 tokens", outputs("x", 2000).build());
    all.put("128 outputs of a prompt of 2,000 tokens", outputs("x".repeat(2000), 40).build());
    all.put("... with 20 logprobs", outputs("x", 2000).setLogprobs(20).build());
    all.put("... with top_p", outputs("x", 2000).setTopP(0.9999).build());
    all.put(
        "... with penalties, 1,024 biases and 1,024 stop tokens",
        outputs("x".repeat(1000), 1000)
            .setRepetitionPenalty(1.1)
            .setPresencePenalty(0.1)
            .setMinTokens(900)
            .setStopTokenIds(IntStream.range(300, 1324).boxed().toList())
            .setLogitBias(
                IntStream.range(1000, 2024)
                    .boxed()
                    .collect(Collectors.toMap(id -> "" + id, id -> -1.0)))
            .build());
    all.put(
        "... with 64 stop strings of 1,000 characters",
        outputs("x", 2000).setStop(Collections.nCopies(64, "a".repeat(999) + "b")).build());
    all.put(
        "... with a pattern of 1,000 states",
        outputs("x", 1000)
            .setIgnoreEos(false)
            .setStructuredOutputs(new StructuredOutputs("([a-z]|[^a-z]{2}){900,1000}", null))
            .build());
    all.put("1,024 labels of 16 tokens", labels());
    return all;
  }

  private static CompletionRequest.Builder outputs(String prompt, int maxTokens) {
    return Requests.greedy("worst", prompt, maxTokens)
        .setTemperature(1)
        .setIgnoreEos(true)
        .setN(128);
  }

  private static CompletionRequest labels() {
    Random random = new Random(1);
    List<String> labels = new ArrayList<>();
    for (int i = 0; i < 1024; i++) {
      StringBuilder label = new StringBuilder();
      random.ints(16, 'a', 'z' + 1).forEach(c -> label.append((char) c));
      labels.add(label.toString());
    }
    return Requests.greedy("worst", "x".repeat(CONTEXT - 100), 1).setChoices(labels).build();
  }

  private static Completion get(LlmEngine engine, CompletionRequest request) throws Exception {
    return Requests.submit(engine, request, GeneratedTokens.NONE).get(10, TimeUnit.MINUTES);
  }
}
