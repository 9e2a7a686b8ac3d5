package dev.flinfer.engine.sampling;

/**
 * Penalties for tokens that occurred before.
 *
 * @param presence subtracted from the logits of generated tokens
 * @param frequency subtracted from these logits once per occurrence
 * @param repetition divides positive logits of the tokens of prompt and generated text and
 *     multiplies negative ones
 */
public record Penalties(double presence, double frequency, double repetition) {
  static final Penalties NONE = new Penalties(0, 0, 1);

  boolean none() {
    return presence == 0 && frequency == 0 && repetition == 1;
  }
}
