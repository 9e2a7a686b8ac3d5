package dev.flinfer.cli;

import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.StructuredOutputs;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import picocli.CommandLine.Option;

/** Sampling parameters for requests that do not set them. An option that is not given is null. */
public final class SamplingArguments {

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "Maximum number of tokens to generate (default: 16).")
  Integer maxTokens;

  @Option(
      names = "--n",
      paramLabel = "N",
      description = "Completions per prompt; above 1 needs a temperature (default: 1).")
  Integer n;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "Divides the logits; 0 is greedy (default: 0).")
  Double temperature;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description = "Sample from the most likely tokens whose probabilities add up to P.")
  Double topP;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description = "Sample from the K most likely tokens.")
  Integer topK;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      description = "Sample from tokens at least P times as likely as the most likely one.")
  Double minP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "R",
      description = "Above 1 makes tokens of prompt and completion less likely (default: 1).")
  Double repetitionPenalty;

  @Option(
      names = "--presence-penalty",
      paramLabel = "A",
      description = "Subtracted from the logits of generated tokens, -2 to 2 (default: 0).")
  Double presencePenalty;

  @Option(
      names = "--frequency-penalty",
      paramLabel = "A",
      description = "Subtracted once per time a token was generated, -2 to 2 (default: 0).")
  Double frequencyPenalty;

  @Option(
      names = "--min-tokens",
      paramLabel = "N",
      description = "Minimum number of tokens to generate (default: 0).")
  Integer minTokens;

  @Option(names = "--ignore-eos", description = "Continue after the end-of-text token.")
  Boolean ignoreEos;

  @Option(
      names = "--logprobs",
      paramLabel = "N",
      description = "With --json, print the N most likely tokens at each position, up to 20.")
  Integer logprobs;

  @Option(
      names = "--regex",
      paramLabel = "REGEX",
      description = "The text must match this regular expression.")
  String regex;

  @Option(
      names = "--json-schema",
      paramLabel = "SCHEMA",
      description = "The text must be JSON that is valid under this schema.")
  String jsonSchema;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the sampler (default: derived from the request's id).")
  Long seed;

  @Option(
      names = "--priority",
      paramLabel = "N",
      description = "Requests with lower values are scheduled first (default: 0).")
  Integer priority;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "End where this text appears; can be given several times.")
  List<String> stop;

  @Option(
      names = "--choices",
      paramLabel = "LABEL",
      split = ",",
      description =
          "Choose between these labels instead of generating text: ' yes, no'. A space before a"
              + " label belongs to it.")
  List<String> choices;

  @Option(
      names = "--choices-method",
      paramLabel = "METHOD",
      description =
          "How labels are compared: token_length_normalized, greedy_token_selection,"
              + " unconditional_likelihood_normalized (default: the first).")
  String choicesMethod;

  /**
   * Sets the parameters that the request does not set itself.
   *
   * @param present names of the members that the request sets
   */
  public void fillIn(CompletionRequest request, Set<String> present) {
    new Members(present)
        .fill("max_tokens", maxTokens, request::setMaxTokens)
        .fill("n", n, request::setN)
        // The record's default is 1.0; on a command line, users expect repeatable output.
        .fill("temperature", temperature == null ? 0 : temperature, request::setTemperature)
        .fill("top_p", topP, request::setTopP)
        .fill("top_k", topK, request::setTopK)
        .fill("min_p", minP, request::setMinP)
        .fill("repetition_penalty", repetitionPenalty, request::setRepetitionPenalty)
        .fill("presence_penalty", presencePenalty, request::setPresencePenalty)
        .fill("frequency_penalty", frequencyPenalty, request::setFrequencyPenalty)
        .fill("min_tokens", minTokens, request::setMinTokens)
        .fill("ignore_eos", ignoreEos, request::setIgnoreEos)
        .fill("logprobs", logprobs, request::setLogprobs)
        .fill("structured_outputs", structuredOutputs(), request::setStructuredOutputs)
        .fill("seed", seed, request::setSeed)
        .fill("priority", priority, request::setPriority)
        .fill("stop", stop, request::setStop)
        .fill("choices", choices, request::setChoices)
        .fill("choices_method", choicesMethod, request::setChoicesMethod);
  }

  private StructuredOutputs structuredOutputs() {
    return regex == null && jsonSchema == null ? null : new StructuredOutputs(regex, jsonSchema);
  }

  /** Sets the members that an option gives and the request lacks. */
  private record Members(Set<String> present) {
    <T> Members fill(String member, T value, Consumer<T> setter) {
      if (value != null && !present.contains(member)) {
        setter.accept(value);
      }
      return this;
    }
  }
}
