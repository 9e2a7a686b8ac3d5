package dev.flinfer.engine.batching;

import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.tokenizer.Tokenizer;
import java.util.Set;

/**
 * The properties of a model that an engine needs in addition to the forward pass.
 *
 * @param eosTokenIds the tokens that end a text
 */
record ServedModel(ModelInfo info, Tokenizer tokenizer, Set<Integer> eosTokenIds) {}
