package dev.flinfer.engine;

import java.io.Serializable;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * How an engine runs: a value for every {@link EngineOption}. Options with equal values in one
 * process share one engine, see {@link SharedEngines}. Create them with {@link #builder}:
 *
 * <pre>{@code
 * EngineOptions.builder("/path/to/phi-2")
 *     .set(EngineOption.DEVICE, DeviceSpecifier.CPU)
 *     .set(EngineOption.MAX_NUM_SEQS, 64)
 *     .build()
 * }</pre>
 */
public final class EngineOptions implements Serializable {
  private static final long serialVersionUID = 1;

  private final OptionNames names;
  private final Map<String, Serializable> values; // of all options

  private EngineOptions(OptionNames names, Map<String, Serializable> given) {
    this.names = names;
    Map<String, Serializable> all = new HashMap<>();
    EngineOption.all().forEach(option -> all.put(option.name(), checked(option, given)));
    this.values = Map.copyOf(all);
  }

  private <T extends Serializable> T checked(
      EngineOption<T> option, Map<String, Serializable> given) {
    @SuppressWarnings("unchecked") // the builder takes only values of the option's type
    T value = (T) given.getOrDefault(option.name(), option.defaultValue());
    option.check(value, names);
    return value;
  }

  /** The defaults for a model. */
  public static EngineOptions of(Path model) {
    return builder(model.toString()).build();
  }

  /** A builder with the defaults for a model. */
  public static Builder builder(String model) {
    return builder(OptionNames.ENGINE).set(EngineOption.MODEL, model);
  }

  /** A builder whose error messages use the given names. The model must be set, too. */
  public static Builder builder(OptionNames names) {
    return new Builder(names, new HashMap<>());
  }

  /** The value of an option, its default where it was not set. */
  @SuppressWarnings("unchecked") // the builder takes only values of the option's type
  public <T extends Serializable> T get(EngineOption<T> option) {
    return (T) values.get(option.name());
  }

  /** The value of an option as text. */
  public <T extends Serializable> String text(EngineOption<T> option) {
    return option.format(get(option));
  }

  /** The model's file or directory. */
  public String model() {
    return get(EngineOption.MODEL);
  }

  /** The names of the options in error messages. */
  public OptionNames names() {
    return names;
  }

  /** A builder that starts with these values. */
  public Builder toBuilder() {
    return new Builder(names, new HashMap<>(values));
  }

  /** Compares the values only, not the names. */
  @Override
  public boolean equals(Object other) {
    return other instanceof EngineOptions options && values.equals(options.values);
  }

  @Override
  public int hashCode() {
    return values.hashCode();
  }

  /** The values that are not the defaults. */
  @Override
  public String toString() {
    return EngineOption.all().stream()
        .filter(option -> !get(option).equals(option.defaultValue()))
        .map(option -> names.of(option) + "=" + text(option))
        .collect(Collectors.joining(", ", "EngineOptions[", "]"));
  }

  /** Sets the values that differ from the defaults. */
  public static final class Builder {
    private final OptionNames names;
    private final Map<String, Serializable> given;

    private Builder(OptionNames names, Map<String, Serializable> given) {
      this.names = names;
      this.given = given;
    }

    /** Sets an option; {@link #build} checks the value. */
    public <T extends Serializable> Builder set(EngineOption<T> option, T value) {
      given.put(option.name(), value);
      return this;
    }

    /**
     * Sets an option to the value of a text, such as {@code cuda:1}.
     *
     * @throws IllegalArgumentException if the text is not a value of the option
     */
    public Builder parse(EngineOption<?> option, String text) {
      given.put(option.name(), option.parse(text, names));
      return this;
    }

    /**
     * @throws IllegalArgumentException if a value is out of its range, or contradicts another
     */
    public EngineOptions build() {
      EngineOptions options = new EngineOptions(names, given);
      OptionRule.checkAll(options);
      return options;
    }
  }
}
