package dev.flinfer.engine.sampling;

import static dev.flinfer.engine.sampling.Limits.require;
import static dev.flinfer.engine.sampling.Limits.requireSize;

import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.schema.CompletionRequest;
import java.util.List;
import java.util.Set;

/**
 * The conditions that end a text, in addition to its length.
 *
 * @param strings end the text where they first appear
 * @param includeString whether the text keeps the string that ended it
 * @param tokenIds end the text
 * @param ignoreEos whether the end-of-text token does not end the text
 * @param minTokens the number of tokens before which nothing ends the text, and no token that would
 *     is sampled
 */
public record StopConditions(
    StopStrings strings,
    boolean includeString,
    Set<Integer> tokenIds,
    boolean ignoreEos,
    int minTokens) {

  static final StopConditions NONE =
      new StopConditions(StopStrings.NONE, false, Set.of(), false, 0);

  /** Bounds, with the length, the memory of a request: 0.9 MB at most. OpenAI allows 4. */
  static final int MAX_STRINGS = 64;

  /** In UTF-16 code units. As many are held back while a text is streamed. */
  static final int MAX_STRING_LENGTH = 1000;

  static final int MAX_TOKEN_IDS = 1024;

  /** From this number of ids on a search in the set is faster than comparing each. */
  private static final int FEW = 8;

  /**
   * The conditions of a request.
   *
   * @throws InvalidRequestException naming the field, its value and the limit
   */
  static StopConditions of(CompletionRequest request) {
    List<String> strings = request.getStop();
    requireSize(
        "stop", strings.size(), "strings", MAX_STRINGS, "Leave out those that matter least");
    for (int i = 0; i < strings.size(); i++) {
      require(!strings.get(i).isEmpty(), "stop", "an empty string", "a list of non-empty strings");
      requireSize(
          "stop[" + i + "]",
          strings.get(i).length(),
          "characters",
          MAX_STRING_LENGTH,
          "Give only its beginning");
    }
    requireSize(
        "stop_token_ids",
        request.getStopTokenIds().size(),
        "ids",
        MAX_TOKEN_IDS,
        "Give the texts that the tokens share as stop instead");
    int minTokens = request.getMinTokens();
    require(
        minTokens >= 0 && minTokens <= request.getMaxTokens(),
        "min_tokens",
        minTokens,
        "from 0 to max_tokens, which is " + request.getMaxTokens());
    return new StopConditions(
        strings.isEmpty() ? StopStrings.NONE : new StopStrings(List.copyOf(strings)),
        request.getIncludeStopStrInOutput(),
        Set.copyOf(request.getStopTokenIds()),
        request.getIgnoreEos(),
        minTokens);
  }

  /** Whether a token ends the text. */
  public boolean endsWith(int token, Set<Integer> eosTokenIds) {
    return holds(tokenIds, token) || (!ignoreEos && holds(eosTokenIds, token));
  }

  /** Usually there are none or one, and {@code contains} would box every token. */
  private static boolean holds(Set<Integer> ids, int token) {
    if (ids.size() > FEW) {
      return ids.contains(token);
    }
    if (!ids.isEmpty()) {
      for (int id : ids) {
        if (id == token) {
          return true;
        }
      }
    }
    return false;
  }
}
