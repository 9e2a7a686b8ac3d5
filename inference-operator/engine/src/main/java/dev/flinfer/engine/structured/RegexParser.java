package dev.flinfer.engine.structured;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Parses a regular expression. Positions in errors count characters from 0. */
final class RegexParser {
  static final int MAX_LENGTH = 20_000;
  static final int MAX_REPEAT = 1000;
  private static final int MAX_DEPTH = 100;

  private static final String META = "\\.[]{}()*+?|^$";

  private static final CodePoints DIGIT = CodePoints.of('0', '9');
  private static final CodePoints WORD = CodePoints.of('0', '9', 'A', 'Z', '_', '_', 'a', 'z');
  private static final CodePoints SPACE = CodePoints.of('\t', '\r', ' ', ' ');
  private static final Map<Integer, CodePoints> SETS =
      Map.of(
          (int) 'd',
          DIGIT,
          (int) 'D',
          DIGIT.complement(),
          (int) 'w',
          WORD,
          (int) 'W',
          WORD.complement(),
          (int) 's',
          SPACE,
          (int) 'S',
          SPACE.complement());

  /** A pattern may have a set thousands of times, so all places share one part. */
  private static final Map<Integer, Node> SHARED =
      SETS.entrySet().stream()
          .collect(
              Collectors.toUnmodifiableMap(
                  Map.Entry::getKey, set -> Characters.of(set.getValue().disjoint())));

  private static final Node DOT = Characters.of(CodePoints.of('\n', '\n').complement().disjoint());

  private final String regex;
  private int at;
  private int depth;

  RegexParser(String regex) {
    this.regex = regex;
  }

  Node parse() {
    if (regex.length() > MAX_LENGTH) {
      throw new PatternException(
          "has %d characters; it may have at most %d".formatted(regex.length(), MAX_LENGTH));
    }
    // A pattern always matches the whole text, so anchors at its ends have no effect.
    take('^');
    Node node = alternatives();
    if (at < regex.length()) {
      throw error(at, "')' has no '('");
    }
    return node;
  }

  private Node alternatives() {
    if (++depth > MAX_DEPTH) {
      throw error(at, "groups are nested deeper than " + MAX_DEPTH);
    }
    List<Node> parts = new ArrayList<>();
    do {
      parts.add(sequence());
    } while (take('|'));
    depth--;
    return Node.union(parts);
  }

  private Node sequence() {
    List<Node> parts = new ArrayList<>();
    while (at < regex.length() && peek() != '|' && peek() != ')') {
      if (peek() == '$' && at == regex.length() - 1) {
        at++;
        break;
      }
      parts.add(repeated(atom()));
    }
    return Node.concat(parts);
  }

  private Node atom() {
    int start = at;
    int c = next();
    switch (c) {
      case '(':
        if (take('?') && !take(':')) {
          throw error(start, "'(?' must be '(?:'; look-arounds, names and flags are not supported");
        }
        Node inner = alternatives();
        if (!take(')')) {
          throw error(start, "'(' has no ')'");
        }
        return inner;
      case '[':
        return characters(characterClass(start), start);
      case '.':
        return DOT;
      case '\\':
        Node shared = at < regex.length() ? SHARED.get((int) peek()) : null;
        if (shared != null) {
          at++;
          return shared;
        }
        return characters(escape(start), start);
      case '*', '+', '?', '{':
        throw error(start, "'" + (char) c + "' has nothing before it to repeat");
      case '^', '$':
        throw error(start, "'" + (char) c + "' may only be at the pattern's ends");
      default:
        return characters(CodePoints.of(c, c), start);
    }
  }

  private Node repeated(Node part) {
    Node node = part;
    while (at < regex.length() && "*+?{".indexOf(peek()) >= 0) {
      int start = at;
      int c = next();
      if (c == '+' && node != part) {
        throw error(
            start, "'+' after a repetition would make it possessive, which is not supported");
      }
      node =
          switch (c) {
            case '*' -> Node.repeat(node, 0, Node.UNLIMITED);
            case '+' -> Node.repeat(node, 1, Node.UNLIMITED);
            case '?' -> Node.repeat(node, 0, 1);
            default -> counted(node, start);
          };
      int nested = node.size().repetitions();
      if (nested > Size.MAX_REPETITIONS) {
        throw error(
            start,
            "repetitions are nested %d deep; the limit is %d, so write some of them as one"
                .formatted(nested, Size.MAX_REPETITIONS));
      }
      // Lazy: a match is of the whole text, so the order in which lengths are tried has no effect.
      take('?');
    }
    return node;
  }

  private Node counted(Node node, int start) {
    int min = number(start);
    int max = min;
    if (take(',')) {
      max = at < regex.length() && peek() == '}' ? Node.UNLIMITED : number(start);
    }
    if (!take('}')) {
      throw error(start, "'{' must begin {m}, {m,} or {m,n}; write \\{ for a literal brace");
    }
    if (max != Node.UNLIMITED && max < min) {
      throw error(start, "{%d,%d} has a maximum below its minimum".formatted(min, max));
    }
    return Node.repeat(node, min, max);
  }

  private int number(int start) {
    int value = 0;
    int from = at;
    while (at < regex.length() && peek() >= '0' && peek() <= '9' && value <= MAX_REPEAT) {
      value = 10 * value + next() - '0';
    }
    if (from == at || value > MAX_REPEAT) {
      throw error(start, "a number of repetitions must be from 0 to " + MAX_REPEAT);
    }
    return value;
  }

  private CodePoints characterClass(int start) {
    boolean negated = take('^');
    CodePoints set = new CodePoints();
    boolean first = true;
    while (at < regex.length() && (first || peek() != ']')) {
      first = false;
      int from = at;
      int c = next();
      CodePoints one = c == '\\' ? escape(from) : CodePoints.of(c, c);
      if (at + 1 < regex.length() && peek() == '-' && regex.charAt(at + 1) != ']') {
        at++;
        int to = at;
        int last = next();
        int begin = single(one, from);
        int end = last == '\\' ? single(escape(to), to) : last;
        if (begin > end) {
          throw error(from, "the range ends before it begins");
        }
        set.add(begin, end);
      } else {
        set.addAll(one);
      }
    }
    if (!take(']')) {
      throw error(start, "'[' has no ']'");
    }
    return negated ? set.complement() : set;
  }

  private int single(CodePoints set, int start) {
    List<CodePoints.Range> ranges = set.disjoint();
    if (ranges.size() != 1 || ranges.get(0).first() != ranges.get(0).last()) {
      throw error(start, "a range must begin and end with one character");
    }
    return ranges.get(0).first();
  }

  private Node characters(CodePoints set, int start) {
    List<CodePoints.Range> ranges = set.disjoint();
    if (ranges.isEmpty()) {
      throw error(start, "the set contains no character");
    }
    return Characters.of(ranges);
  }

  private CodePoints escape(int start) {
    if (at == regex.length()) {
      throw error(start, "'\\' has nothing after it");
    }
    int c = next();
    return switch (c) {
      case 'd', 'D', 'w', 'W', 's', 'S' -> SETS.get(c);
      case 'n' -> CodePoints.of('\n', '\n');
      case 't' -> CodePoints.of('\t', '\t');
      case 'r' -> CodePoints.of('\r', '\r');
      case 'f' -> CodePoints.of('\f', '\f');
      case 'v' -> CodePoints.of(0x0b, 0x0b);
      case 'x' -> hex(2, start);
      case 'u' -> hex(4, start);
      default -> {
        if (META.indexOf(c) < 0 && (c >= 0x80 || Character.isLetterOrDigit(c))) {
          throw error(start, "'\\" + Character.toString(c) + "' is not a supported escape");
        }
        yield CodePoints.of(c, c);
      }
    };
  }

  private CodePoints hex(int digits, int start) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = at < regex.length() ? Character.digit(regex.charAt(at), 16) : -1;
      if (digit < 0) {
        throw error(start, "an escape must have %d hexadecimal digits".formatted(digits));
      }
      value = 16 * value + digit;
      at++;
    }
    return CodePoints.of(value, value);
  }

  private char peek() {
    return regex.charAt(at);
  }

  private int next() {
    int c = regex.codePointAt(at);
    at += Character.charCount(c);
    return c;
  }

  private boolean take(char c) {
    boolean there = at < regex.length() && peek() == c;
    at += there ? 1 : 0;
    return there;
  }

  private static PatternException error(int position, String problem) {
    return new PatternException("is invalid at position %d: %s".formatted(position, problem));
  }
}
