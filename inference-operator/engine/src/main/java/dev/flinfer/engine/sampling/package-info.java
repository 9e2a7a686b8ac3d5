/**
 * Turns a row of logits into a token: parameters, penalties, constraints, log-probabilities, and
 * the text with its stop strings. Everything here works on plain values, independent of steps and
 * sequences, and must not import {@code batching}. Of {@code device} it knows only {@code
 * TopLogits}, the most likely tokens that a device returns in place of logits.
 */
package dev.flinfer.engine.sampling;
