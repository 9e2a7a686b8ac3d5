/**
 * Scores the labels of a request: decides which tokens must be computed, and computes the result
 * from their log-probabilities. Works on plain values and must not import {@code batching}.
 */
package dev.flinfer.engine.choices;
