package dev.flinfer.engine;

import java.io.Serializable;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A constraint between options.
 *
 * @param option the option that the message names
 * @param holds whether the options satisfy it
 * @param limit the required value, for the message; options in braces, as in {@link
 *     OptionNames#resolve}
 */
record OptionRule<T extends Serializable>(
    EngineOption<T> option, Predicate<EngineOptions> holds, Function<EngineOptions, String> limit) {

  private static final Set<Weights> ONEDNN_WEIGHTS =
      EnumSet.of(Weights.AUTO, Weights.BF16, Weights.W8A8);

  private static final List<OptionRule<?>> ALL =
      List.of(
          new OptionRule<>(
              EngineOption.MAX_NUM_BATCHED_TOKENS,
              options ->
                  options.get(EngineOption.MAX_NUM_BATCHED_TOKENS)
                      >= options.get(EngineOption.MAX_NUM_SEQS),
              options ->
                  "at least {max-num-seqs}, which is " + options.get(EngineOption.MAX_NUM_SEQS)),
          new OptionRule<>(
              EngineOption.WEIGHTS,
              options -> isOneDnn(options) || options.get(EngineOption.WEIGHTS) != Weights.W8A8,
              options -> "another type where {cpu-products} is not onednn, which alone has it"),
          new OptionRule<>(
              EngineOption.WEIGHTS,
              options ->
                  !isOneDnn(options) || ONEDNN_WEIGHTS.contains(options.get(EngineOption.WEIGHTS)),
              options ->
                  "auto, bf16 or w8a8 where {cpu-products} is onednn, which computes in bf16 or"
                      + " 8-bit integers"));

  private static boolean isOneDnn(EngineOptions options) {
    return options.get(EngineOption.CPU_PRODUCTS) == CpuProducts.ONEDNN;
  }

  /**
   * @throws InvalidOptionException if a rule does not hold
   */
  static void checkAll(EngineOptions options) {
    ALL.forEach(rule -> rule.check(options));
  }

  private void check(EngineOptions options) {
    if (!holds.test(options)) {
      OptionNames names = options.names();
      throw new InvalidOptionException(
          option.refusal(options.text(option), names.resolve(limit.apply(options)), names));
    }
  }
}
