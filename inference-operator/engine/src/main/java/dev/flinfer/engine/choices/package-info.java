/**
 * Scoring the labels of a request: which tokens must be computed for them, and what their
 * log-probabilities say. It takes values and must not import {@code batching}.
 */
package dev.flinfer.engine.choices;
