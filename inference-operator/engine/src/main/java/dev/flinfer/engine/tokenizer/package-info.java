/**
 * Text to token ids and back, as Hugging Face's {@code tokenizers} does it for byte-level BPE.
 *
 * <p>{@link dev.flinfer.engine.tokenizer.Tokenizer} is the way in. It reads {@code tokenizer.json}
 * or a GGUF file's metadata, which are untrusted: what would change the ids and is not computed
 * here is refused, never ignored. Imports of the engine only weights.
 */
package dev.flinfer.engine.tokenizer;
