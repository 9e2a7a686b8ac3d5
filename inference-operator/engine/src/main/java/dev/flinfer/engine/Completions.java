package dev.flinfer.engine;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.FinishReason;
import java.util.ArrayList;
import java.util.List;

/** Makes the completion of a finished sequence. */
final class Completions {
  private static final double NANOS_PER_MILLI = 1e6;

  private Completions() {}

  static Completion of(Sequence sequence, ModelInfo model, long nowNanos) {
    GeneratedTokens generated = sequence.progress();
    List<Integer> tokens = new ArrayList<>(generated.tokens().length);
    for (int token : generated.tokens()) {
      tokens.add(token);
    }
    List<Float> logprobs = null;
    if (sequence.params.logprobs()) {
      logprobs = new ArrayList<>(generated.logprobs().length);
      for (float logprob : generated.logprobs()) {
        logprobs.add(logprob);
      }
    }
    Completion completion =
        Completion.newBuilder()
            .setId(sequence.request.getId())
            .setText(sequence.text.toString())
            .setFinishReason(sequence.finishReason)
            .setPromptTokens(sequence.promptLength)
            .setCachedTokens(Math.max(0, sequence.cachedTokens))
            .setCompletionTokens(tokens.size())
            .setTokenIds(tokens)
            .setLogprobs(logprobs)
            .setModel(model.name())
            .setModelDigest(model.digest())
            .setQueueTimeMs(millis(sequence, sequence.firstScheduledNanos, nowNanos))
            .setTimeToFirstTokenMs(millis(sequence, sequence.firstTokenNanos, nowNanos))
            .setLatencyMs(millis(sequence, nowNanos, nowNanos))
            .setMetadata(sequence.request.getMetadata())
            .build();
    if (sequence.finishReason == FinishReason.CHOICE) {
      sequence.choices.result().putInto(completion);
    }
    return completion;
  }

  /** From the submission to a moment, or to now where the moment never came. */
  private static double millis(Sequence sequence, long at, long now) {
    return ((at == 0 ? now : at) - sequence.submittedNanos) / NANOS_PER_MILLI;
  }
}
