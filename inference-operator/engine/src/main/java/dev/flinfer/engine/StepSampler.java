package dev.flinfer.engine;

import java.util.List;
import java.util.Set;

/** Takes from a step's logits what its sequences wait for: a token, or the scores of labels. */
final class StepSampler {
  private final float[] logits; // (rows of logits, vocab_size), of the step that was computed last
  private final TopLogits top; // (rows of logits), of the same step
  private final int vocab;
  private final Set<Integer> eosTokenIds;
  private final ModelInfo model;
  private final LogitsAdjuster adjuster;
  private final Sampler sampler;
  private final EngineCounters counters;

  StepSampler(
      float[] logits,
      TopLogits top,
      int vocab,
      Set<Integer> eosTokenIds,
      ModelInfo model,
      EngineCounters counters) {
    this.logits = logits;
    this.top = top;
    this.vocab = vocab;
    this.eosTokenIds = eosTokenIds;
    this.model = model;
    this.adjuster = new LogitsAdjuster(vocab, eosTokenIds);
    this.sampler = new Sampler(vocab);
    this.counters = counters;
  }

  /** Says what of a step's logits the sequences look at, before they are computed. */
  void want(List<Scheduled> step) {
    int row = 0;
    for (Scheduled scheduled : step) {
      int count = wanted(scheduled.sequence().root());
      for (int i = 0; i < scheduled.logits(); i++) {
        top.want(row++, count);
      }
    }
  }

  /** A greedy token, where nothing changes the row, is the most likely one; others are drawn. */
  private int wanted(Sequence sequence) {
    SamplingParams params = sequence.params;
    if (sequence.choices != null || !params.greedy() || LogitsAdjuster.concerns(sequence)) {
      return 0;
    }
    return params.returnsLogprobs() ? Math.clamp(params.logprobs(), 1, vocab) : 1;
  }

  /**
   * @param row where the logits of the sequence or branch begin
   * @return false if the logits are NaN; then nothing was taken from them
   */
  boolean take(Scheduled scheduled, int row) {
    Sequence sequence = scheduled.sequence().root();
    if (sequence.choices != null) {
      return sequence.choices.score(scheduled, logits, row, vocab);
    }
    if (scheduled.logits() == 0) {
      return true;
    }
    return top.given(row) ? takeTop(sequence, row) : sample(sequence, row * vocab);
  }

  private boolean takeTop(Sequence sequence, int row) {
    if (Float.isNaN(top.logit(row, 0))) {
      return false;
    }
    append(
        sequence,
        top.token(row, 0),
        sequence.params.returnsLogprobs()
            ? TokenLogprobs.of(top, row, Math.min(vocab, sequence.params.logprobs()))
            : TokenLogprobs.NONE);
    return true;
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
    append(
        sequence,
        token,
        params.returnsLogprobs()
            ? TokenLogprobs.of(logits, at, vocab, token, params.logprobs())
            : TokenLogprobs.NONE);
    return true;
  }

  private void append(Sequence sequence, int token, TokenLogprobs logprobs) {
    sequence.append(token, logprobs);
    sequence.attempts = 0;
    counters.generated();
    if (sequence.firstTokenNanos == 0) {
      sequence.firstTokenNanos = System.nanoTime();
    }
    sequence.finishReason = sequence.finishReason(eosTokenIds, model.maxModelLen());
    if (sequence.finishReason == null && !sequence.cancelled() && sequence.listener.streams()) {
      sequence.listener.onToken(token, sequence.text.stream(false));
    }
  }
}
