/**
 * Patterns and JSON schemas as automata over bytes, which say what may come next in a text.
 *
 * <p>Knows no tokens and no models. Imports nothing of the engine.
 */
package dev.flinfer.engine.structured;
