package dev.flinfer.engine.batching;

import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.tokenizer.Tokenizer;
import java.util.Set;

/**
 * What an engine must know of its model beside the forward pass.
 *
 * @param eosTokenIds the tokens that end a text
 */
record ServedModel(ModelInfo info, Tokenizer tokenizer, Set<Integer> eosTokenIds) {}
