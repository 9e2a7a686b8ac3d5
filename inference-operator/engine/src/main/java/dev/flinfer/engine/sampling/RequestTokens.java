package dev.flinfer.engine.sampling;

import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.schema.CompletionRequest;
import java.util.List;

/** The prompt of a request as tokens, checked against the model's limits. */
public final class RequestTokens {
  private RequestTokens() {}

  public static int[] of(CompletionRequest request, Tokenizer tokenizer, ModelInfo model) {
    String prompt = request.getPrompt();
    List<Integer> ids = request.getPromptTokenIds();
    if ((prompt == null) == (ids == null)) {
      throw new InvalidRequestException(
          prompt == null
              ? "prompt is missing; give prompt or prompt_token_ids"
              : "prompt and prompt_token_ids are both given; give one of them");
    }
    String field = prompt != null ? "prompt" : "prompt_token_ids";
    int limit = model.maxModelLen();
    if (prompt != null && tokenizer.exceeds(prompt, limit - 1)) {
      throw tooLong(
          field, "%d characters, at least %d tokens".formatted(prompt.length(), limit), limit);
    }
    if (ids != null && ids.size() >= limit) {
      throw tooLong(field, ids.size() + " tokens", limit);
    }
    int[] tokens =
        prompt != null
            ? tokenizer.encode(prompt)
            : ids.stream().mapToInt(Integer::intValue).toArray();
    if (tokens.length == 0) {
      throw new InvalidRequestException(field + " is empty; it must hold at least one token");
    }
    if (tokens.length >= limit) {
      throw tooLong(field, tokens.length + " tokens", limit);
    }
    for (int token : tokens) {
      model.requireToken(field, token);
    }
    return tokens;
  }

  private static InvalidRequestException tooLong(String field, String length, int limit) {
    return new InvalidRequestException(
        ("%s has %s; max_model_len is %d, which must hold the prompt and at least one generated"
                + " token. Shorten the prompt")
            .formatted(field, length, limit));
  }
}
