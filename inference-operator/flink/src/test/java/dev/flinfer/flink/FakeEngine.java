package dev.flinfer.flink;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineStats;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.RequestFailedException;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An engine whose steps the test runs. Token p of a request depends only on its id and p, and each
 * request ends after its max_tokens. Log-probabilities are the negated tokens.
 */
final class FakeEngine implements LlmEngine {

  /** A request in the engine. */
  private final class Sequence implements Generation {
    final CompletionRequest request;
    final GeneratedTokens resumedFrom;
    final GenerationListener listener;
    int[] tokens;

    Sequence(CompletionRequest request, GeneratedTokens from, GenerationListener listener) {
      this.request = request;
      this.resumedFrom = from;
      this.listener = listener;
      tokens = from.tokens();
    }

    boolean isDone() {
      return tokens.length >= request.getMaxTokens();
    }

    void step() {
      if (!isDone()) {
        int position = tokens.length;
        tokens = Arrays.copyOf(tokens, position + 1);
        tokens[position] = tokenAt(request.getId(), position);
        generated++;
      }
      if (isDone()) {
        running.remove(request.getId());
        listener.onCompletion(completion(request, tokens, latencyMs));
      }
    }

    @Override
    public GeneratedTokens progress() {
      synchronized (FakeEngine.this) {
        return new GeneratedTokens(tokens.clone(), logprobs(request, tokens));
      }
    }

    @Override
    public int promptTokens() {
      return request.getPrompt().length();
    }

    @Override
    public void cancel() {
      synchronized (FakeEngine.this) {
        running.remove(request.getId());
        cancelled.add(request.getId());
      }
    }
  }

  private final Map<String, Sequence> running = new LinkedHashMap<>();
  private final List<String> submitted = new ArrayList<>();
  private final List<String> cancelled = new ArrayList<>();
  private double latencyMs = 1;
  private long steps;
  private long sequences;
  private long generated;
  private int closes;
  private EngineException dead;
  private EngineException closeFailure;
  private String digest = "0";

  static int tokenAt(String id, int position) {
    return Math.floorMod(id.hashCode() * 31 + position * 7, 50_000);
  }

  /** The tokens of an undisturbed run. */
  static List<Integer> tokensOf(String id, int maxTokens) {
    List<Integer> tokens = new ArrayList<>();
    for (int position = 0; position < maxTokens; position++) {
      tokens.add(tokenAt(id, position));
    }
    return tokens;
  }

  private static float[] logprobs(CompletionRequest request, int[] tokens) {
    float[] logprobs = new float[request.getLogprobs() == null ? 0 : tokens.length];
    for (int i = 0; i < logprobs.length; i++) {
      logprobs[i] = -tokens[i];
    }
    return logprobs;
  }

  private static Completion completion(CompletionRequest request, int[] tokens, double latencyMs) {
    return Completion.newBuilder()
        .setId(request.getId())
        .setText(request.getPrompt() + ", answered")
        .setFinishReason(FinishReason.LENGTH)
        .setPromptTokens(request.getPrompt().length())
        .setCachedTokens(1)
        .setCompletionTokens(tokens.length)
        .setTokenIds(Arrays.stream(tokens).boxed().toList())
        .setLogprobs(
            request.getLogprobs() == null
                ? null
                : Arrays.stream(tokens).mapToObj(token -> (float) -token).toList())
        .setModel("fake")
        .setModelDigest("0")
        .setLatencyMs(latencyMs)
        .setTimeToFirstTokenMs(latencyMs / 2)
        .build();
  }

  @Override
  public synchronized Generation submit(
      CompletionRequest request, GeneratedTokens resumeFrom, GenerationListener listener) {
    if (dead != null) {
      throw dead;
    }
    if (request.getPrompt().isEmpty()) {
      throw new InvalidRequestException("prompt is empty; it must have at least one token");
    }
    submitted.add(request.getId());
    Sequence sequence = new Sequence(request, resumeFrom, listener);
    running.put(request.getId(), sequence);
    return sequence;
  }

  /** One forward pass over all requests. */
  synchronized void step() {
    step(List.copyOf(running.keySet()).toArray(String[]::new));
  }

  /** One forward pass over these requests. */
  synchronized void step(String... ids) {
    steps += ids.length == 0 ? 0 : 1;
    sequences += ids.length;
    for (String id : ids) {
      running.get(id).step();
    }
  }

  /** Forward passes over these requests until they are finished. */
  synchronized void finish(String... ids) {
    for (String id : ids) {
      while (running.containsKey(id)) {
        step(id);
      }
    }
  }

  /** The forward pass fails on this request and no other, for the last time. */
  synchronized void giveUp(String id, int attempts) {
    Sequence sequence = running.remove(id);
    String message = "The forward pass over request %s alone failed".formatted(id);
    sequence.listener.onRequestFailed(
        new RequestFailedException(
            message, attempts, new IllegalStateException("CL_OUT_OF_RESOURCES")));
  }

  /** The number of failures that the operator permits for the request. */
  synchronized int maxAttempts(String id) {
    return running.get(id).listener.maxAttempts();
  }

  /** Completes a request twice, which an engine must not do. */
  synchronized void completeTwice(String id) {
    Sequence sequence = running.get(id);
    finish(id);
    sequence.step();
  }

  /** Sets the latency of all requests that end from now on. */
  synchronized void latency(double ms) {
    latencyMs = ms;
  }

  /** Changes the digest of the model that the engine reports from now on. */
  synchronized void become(String modelDigest) {
    digest = modelDigest;
  }

  /** The device fails permanently. */
  synchronized void die(EngineException why) {
    dead = why;
    List<Sequence> lost = List.copyOf(running.values());
    running.clear();
    lost.forEach(sequence -> sequence.listener.onFailure(why));
  }

  /** Lets the next close fail, as that of a device that has disappeared. */
  synchronized void failToClose(EngineException why) {
    closeFailure = why;
  }

  /** Ids in the order in which they were submitted. */
  synchronized List<String> submitted() {
    return List.copyOf(submitted);
  }

  synchronized List<String> running() {
    return List.copyOf(running.keySet());
  }

  synchronized List<String> cancelled() {
    return List.copyOf(cancelled);
  }

  /** The tokens with which a running request was submitted. */
  synchronized GeneratedTokens resumedFrom(String id) {
    return running.get(id).resumedFrom;
  }

  synchronized int closes() {
    return closes;
  }

  @Override
  public synchronized ModelInfo model() {
    return new ModelInfo("fake", digest, "test device", 2048, 50_000);
  }

  @Override
  public synchronized EngineStats stats() {
    int waiting = 3;
    return new EngineStats(
        steps, sequences, 0, generated, steps * 2, 0, 0, running.size(), waiting, 4, 5);
  }

  @Override
  public synchronized boolean failed() {
    return dead != null;
  }

  @Override
  public synchronized void close() {
    closes++;
    running.clear();
    if (closeFailure != null) {
      throw closeFailure;
    }
  }
}
