/**
 * Converts text to token ids and back, like Hugging Face's {@code tokenizers} with byte-level BPE.
 *
 * <p>{@link dev.flinfer.engine.tokenizer.Tokenizer} is the entry point. It reads {@code
 * tokenizer.json} or a GGUF file's metadata, which are untrusted: a setting that would change the
 * ids and is not supported here is refused, never ignored. Of the engine it imports only {@code
 * weights}.
 */
package dev.flinfer.engine.tokenizer;
