package dev.flinfer.engine.choices;

import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.schema.CompletionRequest;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The labels of a request as tokens, checked against the model's limits. */
public final class RequestChoices {
  /** Bounds the work of one request; classifications have a few hundred labels at most. */
  static final int MAX_LABELS = 1024;

  private RequestChoices() {}

  /**
   * Returns the choices of a request, or null if it has none.
   *
   * @param promptLength number of tokens of the prompt
   */
  public static Choices of(
      CompletionRequest request, int promptLength, Tokenizer tokenizer, ModelInfo model) {
    ChoicesMethod method = ChoicesMethod.of(request.getChoicesMethod());
    List<String> labels = List.copyOf(request.getChoices());
    if (labels.isEmpty()) {
      return null;
    }
    if (labels.size() > MAX_LABELS) {
      throw new InvalidRequestException(
          "choices has %d labels; the maximum is %d. Choose in two stages, groups of labels first"
              .formatted(labels.size(), MAX_LABELS));
    }
    int[][] tokens = new int[labels.size()][];
    Map<List<Integer>, String> seen = new HashMap<>();
    for (int i = 0; i < tokens.length; i++) {
      String label = labels.get(i);
      tokens[i] = tokenizer.encode(label);
      if (tokens[i].length == 0) {
        throw new InvalidRequestException(
            "choices[%d] is '%s'; a label must have at least one token".formatted(i, label));
      }
      int length = promptLength + tokens[i].length;
      if (length > model.maxModelLen()) {
        throw new InvalidRequestException(
            ("choices[%d] has %d tokens, which with the prompt's %d makes %d; max_model_len is %d."
                    + " Shorten the label or the prompt")
                .formatted(i, tokens[i].length, promptLength, length, model.maxModelLen()));
      }
      String same = seen.put(Arrays.stream(tokens[i]).boxed().toList(), label);
      if (same != null) {
        throw new InvalidRequestException(
            "choices has '%s' twice; labels must differ".formatted(same));
      }
    }
    return new Choices(labels, tokens, method);
  }
}
