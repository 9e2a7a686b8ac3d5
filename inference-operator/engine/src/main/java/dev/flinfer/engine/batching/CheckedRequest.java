package dev.flinfer.engine.batching;

import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.RequestErrors;
import dev.flinfer.engine.choices.Choices;
import dev.flinfer.engine.choices.RequestChoices;
import dev.flinfer.engine.sampling.Constraints;
import dev.flinfer.engine.sampling.RequestTokens;
import dev.flinfer.engine.sampling.SamplingParams;
import dev.flinfer.engine.sampling.TokenMasks;
import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.schema.CompletionRequest;
import java.util.concurrent.CompletableFuture;

/**
 * A request whose fields are checked, with the values derived from them.
 *
 * @param prompt (prompt tokens)
 * @param choices the labels to score; null if the request generates text
 * @param masks token masks of the pattern that the text must match, once it is compiled; null
 *     without a pattern
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record CheckedRequest(
    CompletionRequest request,
    SamplingParams params,
    int[] prompt,
    Choices choices,
    CompletableFuture<TokenMasks> masks) {

  /**
   * Checks a request against the model; a lack of memory or stack in that makes it invalid. Does
   * not wait for its pattern to be compiled.
   *
   * @param listener is notified of the compilation
   * @throws InvalidRequestException naming the field, its value and the limit
   */
  static CheckedRequest confined(
      CompletionRequest request,
      ServedModel model,
      Constraints constraints,
      GenerationListener listener) {
    return RequestErrors.confine(
        () -> of(request, model.tokenizer(), model.info(), constraints, listener),
        error ->
            new InvalidRequestException(
                "request %s cannot be checked: %s; it needs more memory than there is. Shorten it"
                    .formatted(request.getId(), error),
                error));
  }

  private static CheckedRequest of(
      CompletionRequest request,
      Tokenizer tokenizer,
      ModelInfo model,
      Constraints constraints,
      GenerationListener listener) {
    if (request.getId() == null) {
      throw new InvalidRequestException(
          "id is missing; it identifies the request in its completion");
    }
    SamplingParams params = SamplingParams.of(request);
    params.requireTokensOf(model);
    int[] prompt = RequestTokens.of(request, tokenizer, model);
    Choices choices = RequestChoices.of(request, prompt.length, tokenizer, model);
    // Last, so that nothing is compiled for an invalid request.
    CompletableFuture<TokenMasks> masks = constraints.of(params.pattern(), listener);
    return new CheckedRequest(request, params, prompt, choices, masks);
  }

  /** The request of one of the outputs, for {@code n} above 1. */
  CheckedRequest output(int index) {
    return new CheckedRequest(request, params.forOutput(index), prompt, choices, masks);
  }
}
