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

  /** Of all labels together: the rows of a request, and the memory of its scores. */
  static final int MAX_TOKENS = 16 * MAX_LABELS;

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
    int total = 0;
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = encode(i, labels.get(i), promptLength, tokenizer, model.maxModelLen());
      total += tokens[i].length;
      if (total > MAX_TOKENS) {
        throw new InvalidRequestException(
            ("the first %d labels of choices have %d tokens; the maximum of all labels together is"
                    + " %d. Shorten the labels, or choose in two stages, groups of labels first")
                .formatted(i + 1, total, MAX_TOKENS));
      }
    }
    requireDifferent(labels, tokens);
    return new Choices(labels, tokens, method);
  }

  private static int[] encode(
      int index, String label, int promptLength, Tokenizer tokenizer, int maxModelLen) {
    int room = maxModelLen - promptLength;
    if (tokenizer.exceeds(label, room)) {
      throw new InvalidRequestException(
          ("choices[%d] has %d characters, more than fit into the %d tokens that the prompt's %d"
                  + " leave of max_model_len, %d. Shorten the label or the prompt")
              .formatted(index, label.length(), room, promptLength, maxModelLen));
    }
    int[] tokens = tokenizer.encode(label);
    if (tokens.length == 0) {
      throw new InvalidRequestException(
          "choices[%d] is '%s'; a label must have at least one token".formatted(index, label));
    }
    if (tokens.length > room) {
      throw new InvalidRequestException(
          ("choices[%d] has %d tokens, which with the prompt's %d makes %d; max_model_len is %d."
                  + " Shorten the label or the prompt")
              .formatted(
                  index, tokens.length, promptLength, promptLength + tokens.length, maxModelLen));
    }
    return tokens;
  }

  private static void requireDifferent(List<String> labels, int[][] tokens) {
    Map<List<Integer>, String> seen = new HashMap<>();
    for (int i = 0; i < tokens.length; i++) {
      String same = seen.put(Arrays.stream(tokens[i]).boxed().toList(), labels.get(i));
      if (same != null) {
        throw new InvalidRequestException(
            "choices has '%s' twice; labels must differ".formatted(same));
      }
    }
  }
}
