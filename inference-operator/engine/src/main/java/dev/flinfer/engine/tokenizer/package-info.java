/**
 * Text to token ids and back, as Hugging Face's {@code tokenizers} does it for byte-level BPE.
 *
 * <p>{@link dev.flinfer.engine.tokenizer.Tokenizer} is the way in. It reads {@code tokenizer.json},
 * which is untrusted: what would change the ids and is not computed here is refused, never ignored.
 * Imports nothing else of the engine but the exception for a model's files.
 */
package dev.flinfer.engine.tokenizer;
