package dev.flinfer.engine.sampling;

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
    List<String> strings,
    boolean includeString,
    Set<Integer> tokenIds,
    boolean ignoreEos,
    int minTokens) {

  static final StopConditions NONE = new StopConditions(List.of(), false, Set.of(), false, 0);

  /** Whether a token ends the text. */
  public boolean endsWith(int token, Set<Integer> eosTokenIds) {
    return holds(tokenIds, token) || (!ignoreEos && holds(eosTokenIds, token));
  }

  /** Usually there are none or one, and {@code contains} would box every token. */
  private static boolean holds(Set<Integer> ids, int token) {
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
