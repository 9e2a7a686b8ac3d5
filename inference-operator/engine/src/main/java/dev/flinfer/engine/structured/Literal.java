package dev.flinfer.engine.structured;

import java.nio.charset.StandardCharsets;

/** One text, in UTF-8; lone surrogates must have been refused. */
record Literal(byte[] bytes) implements Node {
  static Literal of(String text) {
    return new Literal(text.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public Size size() {
    return Size.of(bytes.length, bytes.length);
  }

  @Override
  public int build(Nfa nfa, int from) {
    int at = from;
    for (byte b : bytes) {
      int next = nfa.state();
      nfa.edge(at, Byte.toUnsignedInt(b), Byte.toUnsignedInt(b), next);
      at = next;
    }
    return at;
  }
}
