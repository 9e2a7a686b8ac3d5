package dev.flinfer.engine.tokenizer;

import java.util.HashMap;
import java.util.Map;

/**
 * Tokens that are cut out of a text before it is split: the leftmost first, and the longest of
 * those that begin at the same place. A trie over UTF-16 code units.
 */
final class AddedTokens {
  private static final int NONE = -1;

  private final Node root = new Node();
  private int longest;

  private static final class Node {
    final Map<Character, Node> children = new HashMap<>();
    int id = NONE;
  }

  /** Receives the parts of a text in order. */
  interface Parts {
    void text(int from, int to);

    void token(int id);
  }

  void add(String content, int id) {
    longest = Math.max(longest, content.length());
    Node node = root;
    for (int i = 0; i < content.length(); i++) {
      node = node.children.computeIfAbsent(content.charAt(i), c -> new Node());
    }
    node.id = id;
  }

  /** The number of characters of the longest token. */
  int longest() {
    return longest;
  }

  /** Splits {@code text[from..to)} at added tokens. Parts of text are not empty. */
  void split(String text, int from, int to, Parts out) {
    int start = from;
    int at = root.children.isEmpty() ? to : from;
    while (at < to) {
      int end = at;
      int id = NONE;
      Node node = root.children.get(text.charAt(at));
      for (int i = at + 1; node != null; i++) {
        if (node.id != NONE) {
          id = node.id;
          end = i;
        }
        node = i < to ? node.children.get(text.charAt(i)) : null;
      }
      if (id == NONE) {
        at++;
        continue;
      }
      if (start < at) {
        out.text(start, at);
      }
      out.token(id);
      start = end;
      at = end;
    }
    if (start < to) {
      out.text(start, to);
    }
  }
}
