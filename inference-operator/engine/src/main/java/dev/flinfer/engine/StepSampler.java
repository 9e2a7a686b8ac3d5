package dev.flinfer.engine;

import java.util.Set;

/** Takes from a step's logits what its sequences wait for: a token, or the scores of labels. */
final class StepSampler {
  private final float[] logits; // (rows of logits, vocab_size), of the step that was computed last
  private final int vocab;
  private final Set<Integer> eosTokenIds;
  private final ModelInfo model;
  private final LogitsAdjuster adjuster;
  private final Sampler sampler;
  private final EngineCounters counters;

  StepSampler(
      float[] logits,
      int vocab,
      Set<Integer> eosTokenIds,
      ModelInfo model,
      EngineCounters counters) {
    this.logits = logits;
    this.vocab = vocab;
    this.eosTokenIds = eosTokenIds;
    this.model = model;
    this.adjuster = new LogitsAdjuster(vocab, eosTokenIds);
    this.sampler = new Sampler(vocab);
    this.counters = counters;
  }

  /**
   * @param row where the logits of the sequence or branch begin
   * @return false if the logits are NaN; then nothing was taken from them
   */
  boolean take(Scheduler.Scheduled scheduled, int row) {
    Sequence sequence = scheduled.sequence().root();
    if (sequence.choices != null) {
      return sequence.choices.score(scheduled, logits, row, vocab);
    }
    return scheduled.logits() == 0 || sample(sequence, row * vocab);
  }

  private boolean sample(Sequence sequence, int at) {
    SamplingParams params = sequence.params;
    int position = sequence.generated();
    int token =
        LogitsAdjuster.concerns(sequence)
            ? sampler.sample(adjuster.adjust(logits, at, sequence), 0, params, position)
            : sampler.sample(logits, at, params, position);
    if (Float.isNaN(logits[at + token])) {
      return false;
    }
    sequence.append(
        token,
        params.returnsLogprobs()
            ? TokenLogprobs.of(logits, at, vocab, token, params.logprobs())
            : TokenLogprobs.NONE);
    sequence.attempts = 0;
    counters.generated();
    if (sequence.firstTokenNanos == 0) {
      sequence.firstTokenNanos = System.nanoTime();
    }
    sequence.finishReason = sequence.finishReason(eosTokenIds, model.maxModelLen());
    if (sequence.finishReason == null && !sequence.cancelled() && sequence.listener.streams()) {
      sequence.listener.onToken(token, sequence.text.stream(false));
    }
    return true;
  }
}
