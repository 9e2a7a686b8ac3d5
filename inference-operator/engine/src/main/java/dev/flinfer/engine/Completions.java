package dev.flinfer.engine;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionOutput;
import dev.flinfer.schema.FinishReason;
import dev.flinfer.schema.TokenLogprob;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/** Makes the completion of a finished sequence. */
final class Completions {
  private static final double NANOS_PER_MILLI = 1e6;

  private Completions() {}

  static Completion of(Sequence sequence, ModelInfo model, long nowNanos) {
    GeneratedTokens generated = sequence.progress();
    SamplingParams params = sequence.params;
    List<Float> logprobs = params.returnsLogprobs() ? Numbers.list(generated.logprobs()) : null;
    Completion completion = new Completion(); // Avro's builder takes longer than all the rest
    completion.setId(sequence.request.getId());
    completion.setText(sequence.text.toString());
    completion.setFinishReason(sequence.finishReason);
    completion.setPromptTokens(sequence.promptLength);
    completion.setCachedTokens(Math.max(0, sequence.cachedTokens));
    completion.setCompletionTokens(generated.tokens().length);
    completion.setTokenIds(Numbers.list(generated.tokens()));
    completion.setLogprobs(logprobs);
    completion.setTopLogprobs(params.logprobs() > 0 ? alternatives(generated) : null);
    completion.setOutputs(new ArrayList<>());
    completion.setLabelProbabilities(new LinkedHashMap<>());
    completion.setModel(model.name());
    completion.setModelDigest(model.digest());
    completion.setQueueTimeMs(millis(sequence, sequence.firstScheduledNanos, nowNanos));
    completion.setTimeToFirstTokenMs(millis(sequence, sequence.firstTokenNanos, nowNanos));
    completion.setLatencyMs(millis(sequence, nowNanos, nowNanos));
    completion.setMetadata(sequence.request.getMetadata());
    if (sequence.finishReason == FinishReason.CHOICE) {
      sequence.choices.result().putInto(completion);
    }
    return completion;
  }

  /** One completion of those of a request's outputs, in their order. */
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

  private static List<List<TokenLogprob>> alternatives(GeneratedTokens generated) {
    List<List<TokenLogprob>> all = new ArrayList<>(generated.tokens().length);
    for (int i = 0; i < generated.tokens().length; i++) {
      TokenLogprobs logs = generated.logprobsOf(i);
      List<TokenLogprob> top = new ArrayList<>(logs.top().length);
      for (int k = 0; k < logs.top().length; k++) {
        top.add(new TokenLogprob(logs.topTokens()[k], logs.top()[k]));
      }
      all.add(top);
    }
    return all;
  }

  /** From the submission to a moment, or to now where the moment never came. */
  private static double millis(Sequence sequence, long at, long now) {
    return ((at == 0 ? now : at) - sequence.submittedNanos) / NANOS_PER_MILLI;
  }
}
