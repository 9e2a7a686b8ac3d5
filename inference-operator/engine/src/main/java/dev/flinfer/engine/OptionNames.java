package dev.flinfer.engine;

import java.io.Serializable;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * The names of options in one way of setting them. The engine uses {@code max_num_seqs}, as vLLM
 * does; Flink's configuration and the command line have prefixes and hyphens. Error texts and
 * descriptions name an option as the user wrote it, so {@link EngineOptions} contain the names with
 * which they were set.
 *
 * <p>This is data and not a function: options travel to other processes and stay in {@link
 * SharedEngines}, where code of a job's class loader would keep that loader alive.
 *
 * @param prefix the text before each name
 * @param separator the character between the words of a name
 * @param exceptions full names of options that do not follow the rule, by {@link EngineOption#name}
 */
public record OptionNames(String prefix, char separator, Map<String, String> exceptions)
    implements Serializable {

  /** The engine's own: {@code max_num_seqs}. */
  public static final OptionNames ENGINE = new OptionNames("", '_', Map.of());

  private static final Pattern PLACEHOLDER = Pattern.compile("\\{([a-z0-9-]+)}");

  public OptionNames {
    exceptions = Map.copyOf(exceptions);
  }

  /** The name of an option. */
  public String of(EngineOption<?> option) {
    return of(option.name());
  }

  private String of(String name) {
    String exception = exceptions.get(name);
    return exception == null ? prefix + name.replace('-', separator) : exception;
  }

  /** A text in which {@code {max-num-seqs}} stands for the name of that option. */
  public String resolve(String text) {
    return PLACEHOLDER.matcher(text).replaceAll((MatchResult found) -> of(found.group(1)));
  }
}
