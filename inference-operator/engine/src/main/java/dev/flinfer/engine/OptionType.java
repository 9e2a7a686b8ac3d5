package dev.flinfer.engine;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The type of an option's values, with their form as text.
 *
 * @param <T> the values
 */
public final class OptionType<T extends Serializable> {

  /** Types that configuration systems distinguish. */
  public enum Kind {
    INTEGER,
    BOOLEAN,
    MEMORY_SIZE,
    /** All others. */
    TEXT
  }

  static final OptionType<Integer> INTEGER =
      new OptionType<>(
          Kind.INTEGER,
          List.of(),
          "a whole number, at most " + Integer.MAX_VALUE,
          Integer::valueOf,
          Object::toString);

  static final OptionType<Boolean> BOOLEAN =
      new OptionType<>(
          Kind.BOOLEAN, List.of(), "true or false", OptionType::parseBoolean, Object::toString);

  /** In bytes. */
  static final OptionType<Long> MEMORY_SIZE =
      new OptionType<>(
          Kind.MEMORY_SIZE,
          List.of(),
          "a number of bytes, or of kb, mb, gb or tb, as in 4 gb",
          MemorySizes::parse,
          MemorySizes::format);

  static final OptionType<String> TEXT =
      new OptionType<>(Kind.TEXT, List.of(), "a text", Function.identity(), Function.identity());

  static final OptionType<DeviceSpecifier> DEVICE =
      new OptionType<>(
          Kind.TEXT,
          DeviceSpecifier.FORMS,
          "auto, cpu, opencl, ptx or cuda, the last three with or without a number, as in opencl:1",
          DeviceSpecifier::parse,
          DeviceSpecifier::toString);

  private final Kind kind;
  private final List<String> forms;
  private final String words;
  private final Function<String, T> parser;
  private final Function<T, String> formatter;

  private OptionType(
      Kind kind,
      List<String> forms,
      String words,
      Function<String, T> parser,
      Function<T, String> formatter) {
    this.kind = kind;
    this.forms = forms;
    this.words = words;
    this.parser = parser;
    this.formatter = formatter;
  }

  /** The constants of an enum, in lower case. */
  static <E extends Enum<E>> OptionType<E> oneOf(Class<E> type) {
    List<String> forms = Stream.of(type.getEnumConstants()).map(OptionType::text).toList();
    int last = forms.size() - 1;
    return new OptionType<>(
        Kind.TEXT,
        forms,
        String.join(", ", forms.subList(0, last)) + " or " + forms.get(last),
        text -> type.getEnumConstants()[indexOf(text, forms)],
        OptionType::text);
  }

  private static String text(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private static int indexOf(String text, List<String> forms) {
    int index = forms.indexOf(text);
    if (index < 0) {
      throw new IllegalArgumentException(text + " is not one of " + forms);
    }
    return index;
  }

  /** Stricter than {@link Boolean#valueOf}, which accepts every text. */
  private static boolean parseBoolean(String text) {
    if (text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false")) {
      return Boolean.parseBoolean(text);
    }
    throw new IllegalArgumentException(text + " is neither true nor false");
  }

  public Kind kind() {
    return kind;
  }

  /** All forms of a value, such as {@code opencl[:n]}; empty if they cannot be listed. */
  public List<String> forms() {
    return forms;
  }

  /** The possible values, for a message, after "it must be". */
  String words() {
    return words;
  }

  /**
   * @throws IllegalArgumentException if the text is not a value
   */
  T parse(String text) {
    return parser.apply(text);
  }

  String format(T value) {
    return formatter.apply(value);
  }
}
