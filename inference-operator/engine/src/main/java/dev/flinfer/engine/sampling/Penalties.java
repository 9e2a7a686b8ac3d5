package dev.flinfer.engine.sampling;

/**
 * What tokens lose for having been there before.
 *
 * @param presence subtracted from the logits of generated tokens
 * @param frequency subtracted from them for each time that they were generated
 * @param repetition divides the positive logits of tokens of prompt and generated text, multiplies
 *     the negative ones
 */
public record Penalties(double presence, double frequency, double repetition) {
  static final Penalties NONE = new Penalties(0, 0, 1);

  boolean none() {
    return presence == 0 && frequency == 0 && repetition == 1;
  }
}
