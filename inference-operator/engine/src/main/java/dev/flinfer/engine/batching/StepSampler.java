package dev.flinfer.engine.batching;

import dev.flinfer.engine.device.TopLogits;
import dev.flinfer.engine.sampling.LogitsAdjuster;
import dev.flinfer.engine.sampling.Sampler;
import dev.flinfer.engine.sampling.SamplingParams;
import dev.flinfer.engine.sampling.TokenLogprobs;
import java.util.List;

/** Takes from a step's logits what its sequences need: a token, or the scores of labels. */
final class StepSampler {
  private final float[] logits; // (rows of logits, vocab_size), of the last step
  private final TopLogits top; // (rows of logits), of the same step
  private final int vocab;
  private final ServedModel model;
  private final LogitsAdjuster adjuster;
  private final Sampler sampler;
  private final EngineCounters counters;
  private final EngineClock clock;

  StepSampler(
      float[] logits,
      TopLogits top,
      ServedModel model,
      EngineCounters counters,
      EngineClock clock) {
    this.logits = logits;
    this.top = top;
    this.vocab = model.info().vocabSize();
    this.model = model;
    this.adjuster = new LogitsAdjuster(vocab, model.eosTokenIds());
    this.sampler = new Sampler(vocab);
    this.counters = counters;
    this.clock = clock;
  }

  /** Sets, before a step is computed, which of its logits the sequences need. */
  void want(List<Scheduled> step) {
    int row = 0;
    for (Scheduled scheduled : step) {
      int count = tokensNeeded(scheduled.sequence().root());
      for (int i = 0; i < scheduled.logits(); i++) {
        top.want(row++, count);
      }
    }
  }

  /** If nothing changes the row, a greedy request needs only its most likely tokens. */
  private int tokensNeeded(Sequence sequence) {
    SamplingParams params = sequence.params();
    if (sequence.choices() != null || !params.greedy() || adjusts(sequence)) {
      return 0;
    }
    return params.returnsLogprobs() ? Math.clamp(params.logprobs(), 1, vocab) : 1;
  }

  private static boolean adjusts(Sequence sequence) {
    return LogitsAdjuster.concerns(sequence.params(), sequence.generated(), sequence.constraint());
  }

  /**
   * Takes what a sequence or branch needs from the logits of its rows.
   *
   * @param row the first of its rows
   * @return false if the logits are NaN; then nothing was taken from them
   */
  boolean take(Scheduled scheduled, int row) {
    Sequence sequence = scheduled.sequence().root();
    if (sequence.choices() != null) {
      return score(scheduled, row);
    }
    if (scheduled.logits() == 0) {
      return true;
    }
    return top.given(row) ? takeTop(sequence, row) : sample(sequence, row * vocab);
  }

  private boolean score(Scheduled scheduled, int row) {
    Sequence sequence = scheduled.sequence();
    int end = scheduled.from() + scheduled.tokens();
    for (int i = 0; i < scheduled.logits(); i++) {
      int after = sequence.length() - (end - scheduled.logits() + i + 1);
      int depth = sequence.path().length() - after;
      int at = (row + i) * vocab;
      if (!sequence.root().choices().score(sequence.path(), depth, logits, at, vocab)) {
        return false;
      }
    }
    return true;
  }

  private boolean takeTop(Sequence sequence, int row) {
    if (Float.isNaN(top.logit(row, 0))) {
      return false;
    }
    append(
        sequence,
        top.token(row, 0),
        sequence.params().returnsLogprobs()
            ? TokenLogprobs.of(top, row, Math.min(vocab, sequence.params().logprobs()))
            : TokenLogprobs.NONE);
    return true;
  }

  private boolean sample(Sequence sequence, int at) {
    SamplingParams params = sequence.params();
    int position = sequence.generated();
    int token =
        adjusts(sequence)
            ? sampler.sample(adjusted(sequence, at), 0, params, position)
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

  private float[] adjusted(Sequence sequence, int at) {
    return adjuster.adjust(logits, at, sequence.params(), sequence.tokens(), sequence.constraint());
  }

  private void append(Sequence sequence, int token, TokenLogprobs logprobs) {
    sequence.append(token, logprobs);
    counters.generated();
    if (sequence.timings().awaitsToken()) {
      sequence.timings().firstToken(clock.nanoTime());
    }
    sequence.status(sequence.statusAfterToken(model));
    if (!sequence.status().finished() && !sequence.cancelled() && sequence.listener().streams()) {
      sequence.listener().onToken(token, sequence.text().stream(false));
    }
  }
}
