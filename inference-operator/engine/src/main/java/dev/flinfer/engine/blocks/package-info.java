/** The blocks of the KV cache: which are free, and which belong to a sequence. */
package dev.flinfer.engine.blocks;
