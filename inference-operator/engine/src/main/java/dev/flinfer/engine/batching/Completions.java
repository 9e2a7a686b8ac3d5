package dev.flinfer.engine.batching;

import dev.flinfer.engine.ModelInfo;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionOutput;
import dev.flinfer.schema.FinishReason;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/** Creates the completion of a finished sequence. */
final class Completions {
  private Completions() {}

  static Completion of(Sequence sequence, ModelInfo model, long nowNanos) {
    Completion completion = new Completion(); // Avro's builder takes longer than the rest
    completion.setId(sequence.request().getId());
    completion.setText(sequence.text().toString());
    completion.setFinishReason(sequence.status().finishReason());
    completion.setPromptTokens(sequence.promptTokens());
    completion.setCachedTokens(sequence.cachedTokens());
    sequence.tokens().generated().writeTo(completion, sequence.request().getLogprobs());
    completion.setOutputs(new ArrayList<>());
    completion.setLabelProbabilities(new LinkedHashMap<>());
    completion.setModel(model.name());
    completion.setModelDigest(model.digest());
    completion.setQueueTimeMs(sequence.timings().queueMillis(nowNanos));
    completion.setTimeToFirstTokenMs(sequence.timings().firstTokenMillis(nowNanos));
    completion.setLatencyMs(sequence.timings().latencyMillis(nowNanos));
    completion.setMetadata(sequence.request().getMetadata());
    if (completion.getFinishReason() == FinishReason.CHOICE) {
      sequence.choices().result().writeTo(completion);
    }
    return completion;
  }

  /** Merges the completions of a request's outputs, in their order, into one. */
  static Completion merge(List<Completion> outputs) {
    Completion first = outputs.get(0);
    List<CompletionOutput> all = new ArrayList<>(outputs.size());
    int tokens = 0;
    double latency = 0;
    for (Completion output : outputs) {
      tokens += output.getCompletionTokens();
      latency = Math.max(latency, output.getLatencyMs());
      all.add(
          new CompletionOutput(
              all.size(),
              output.getText(),
              output.getFinishReason(),
              output.getTokenIds(),
              output.getLogprobs(),
              output.getTopLogprobs()));
    }
    return Completion.newBuilder(first)
        .setCompletionTokens(tokens)
        .setLatencyMs(latency)
        .setOutputs(all)
        .build();
  }
}
