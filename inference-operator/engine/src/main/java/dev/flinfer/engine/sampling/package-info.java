/**
 * From a row of logits to a token: parameters, penalties, constraints, log-probabilities, and the
 * text with its stop strings. Everything here takes values; nothing knows of steps, sequences or
 * devices, and it must not import {@code batching}.
 */
package dev.flinfer.engine.sampling;
