/**
 * Weight files, memory-mapped and checked before use. Files are untrusted: every offset, shape and
 * type is checked first. Imports no other package of the engine.
 */
package dev.flinfer.engine.weights;
