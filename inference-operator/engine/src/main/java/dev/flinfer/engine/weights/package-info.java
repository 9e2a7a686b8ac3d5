/**
 * Weight files, memory-mapped and checked before use. Files are untrusted: every offset, shape and
 * type is looked at first. Imports nothing else of the engine.
 */
package dev.flinfer.engine.weights;
