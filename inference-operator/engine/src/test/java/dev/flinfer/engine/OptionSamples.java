package dev.flinfer.engine;

/** Values for tests of all options, those that are declared later included. */
public final class OptionSamples {
  private OptionSamples() {}

  /** A value that is not the default, as {@link EngineOption#format} writes it. */
  public static String other(EngineOption<?> option) {
    return switch (option.type().kind()) {
      case INTEGER -> Integer.toString((Integer) option.defaultValue() + 1);
      case BOOLEAN -> Boolean.toString(!(Boolean) option.defaultValue());
      case MEMORY_SIZE -> "3 mb";
      case TEXT -> option.type().forms().isEmpty() ? "other" : option.type().forms().get(1);
    };
  }
}
