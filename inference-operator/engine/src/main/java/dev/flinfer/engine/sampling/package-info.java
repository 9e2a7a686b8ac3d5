/**
 * Turns a row of logits into a token: parameters, penalties, constraints, log-probabilities, and
 * the text with its stop strings. Everything here works on plain values, independent of steps,
 * sequences and devices, and must not import {@code batching}.
 */
package dev.flinfer.engine.sampling;
