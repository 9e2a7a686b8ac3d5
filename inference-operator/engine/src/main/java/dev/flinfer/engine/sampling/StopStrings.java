package dev.flinfer.engine.sampling;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Finds all stop strings of a request at once in a text that grows. This is the automaton of Aho
 * and Corasick ("Efficient String Matching: An Aid to Bibliographic Search", 1975): a character of
 * the text costs the same however many strings there are and however long they are. Immutable; the
 * outputs of a request share it.
 *
 * <p>A state is a start of a string: the longest one that the text ends with. States are numbered
 * breadth first, so that those which are one character longer than a state are consecutive, in the
 * order of this character.
 */
final class StopStrings {
  static final StopStrings NONE = new StopStrings(List.of());

  /** The state of the empty text. */
  static final int START = 0;

  /** No string ends here. */
  static final int NO_MATCH = -1;

  private final List<String> strings;
  private final int longest;
  private final char[] last; // (states) the last character
  private final int[] longer; // (states + 1) the first of the states that are a character longer
  private final int[] shorter; // (states) the longest other state that this state ends with
  private final int[] match; // (states) the longest string that the state ends with

  /** The states while they are numbered, each with the strings that start with it. */
  private static final class Numbering {
    final String[] sorted; // without repetitions
    final int[] from; // (states)
    final int[] to; // (states)
    final int[] length; // (states)
    int count = 1;

    Numbering(String[] sorted) {
      int most = 1 + Arrays.stream(sorted).mapToInt(String::length).sum();
      this.sorted = sorted;
      this.from = new int[most];
      this.to = new int[most];
      this.length = new int[most];
      to[START] = sorted.length;
    }

    /** Adds the states that are a character longer than a state. */
    void addLonger(int state, char[] last) {
      int at = length[state];
      // In this order the string that is the state itself is the first.
      int next = isString(state) ? from[state] + 1 : from[state];
      while (next < to[state]) {
        char c = sorted[next].charAt(at);
        from[count] = next;
        length[count] = at + 1;
        last[count] = c;
        while (next < to[state] && sorted[next].charAt(at) == c) {
          next++;
        }
        to[count++] = next;
      }
    }

    boolean isString(int state) {
      return from[state] < to[state] && sorted[from[state]].length() == length[state];
    }
  }

  /**
   * @param strings not empty ones
   */
  StopStrings(List<String> strings) {
    this.strings = strings;
    this.longest = strings.stream().mapToInt(String::length).max().orElse(0);
    Map<String, Integer> indexes = new TreeMap<>();
    for (int i = 0; i < strings.size(); i++) {
      indexes.putIfAbsent(strings.get(i), i);
    }
    Numbering states = new Numbering(indexes.keySet().toArray(String[]::new));
    int most = states.from.length;
    char[] chars = new char[most];
    int[] firstLonger = new int[most + 1];
    firstLonger[START] = 1;
    for (int state = START; state < states.count; state++) {
      states.addLonger(state, chars);
      firstLonger[state + 1] = states.count;
    }
    this.last = Arrays.copyOf(chars, states.count);
    this.longer = Arrays.copyOf(firstLonger, states.count + 1);
    this.shorter = new int[states.count];
    this.match = new int[states.count];
    match[START] = NO_MATCH;
    for (int parent = START; parent < states.count; parent++) {
      for (int state = longer[parent]; state < longer[parent + 1]; state++) {
        shorter[state] = parent == START ? START : next(shorter[parent], last[state]);
        match[state] =
            states.isString(state)
                ? indexes.get(states.sorted[states.from[state]])
                : match[shorter[state]];
      }
    }
  }

  boolean isEmpty() {
    return strings.isEmpty();
  }

  /** The length of the longest string; 0 without strings. */
  int longest() {
    return longest;
  }

  /** The state after the next character of the text. */
  int next(int state, char c) {
    for (int from = state; ; from = shorter[from]) {
      int found = Arrays.binarySearch(last, longer[from], longer[from + 1], c);
      if (found >= 0) {
        return found;
      }
      if (from == START) {
        return START;
      }
    }
  }

  /**
   * The index of the longest string that the text ends with, so the one that starts first; {@link
   * #NO_MATCH} for none. Of equal strings it is the first.
   */
  int match(int state) {
    return match[state];
  }

  /** The length of a string, by its index. */
  int length(int index) {
    return strings.get(index).length();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof StopStrings that && strings.equals(that.strings);
  }

  @Override
  public int hashCode() {
    return strings.hashCode();
  }

  @Override
  public String toString() {
    return strings.toString();
  }
}
