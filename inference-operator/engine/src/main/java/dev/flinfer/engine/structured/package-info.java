/**
 * Patterns and JSON schemas as automata over bytes, which determine what may come next in a text.
 *
 * <p>Independent of tokens and models. Imports nothing of the engine.
 */
package dev.flinfer.engine.structured;
