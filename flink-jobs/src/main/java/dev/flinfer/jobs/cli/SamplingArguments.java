package dev.flinfer.jobs.cli;

import dev.flinfer.schema.CompletionRequest;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Option;

/** Sampling parameters for requests that do not set them. Null where not given. */
final class SamplingArguments {

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      description = "Most tokens to generate (default: 16).")
  Integer maxTokens;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "Divides the logits; 0 is greedy (default: 0).")
  Double temperature;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description = "Sample from the most likely tokens that add up to this probability.")
  Double topP;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description = "Sample from that many most likely tokens.")
  Integer topK;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the sampler (default: made from the request's id).")
  Long seed;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "End where this text appears; may be given several times.")
  List<String> stop;

  @Option(
      names = "--choices",
      paramLabel = "LABEL",
      split = ",",
      description =
          "Choose between these labels instead of generating text: ' yes, no'. A space in front"
              + " of a label belongs to it.")
  List<String> choices;

  @Option(
      names = "--choices-method",
      paramLabel = "METHOD",
      description =
          "How labels are compared: token_length_normalized, greedy_token_selection,"
              + " unconditional_likelihood_normalized (default: the first).")
  String choicesMethod;

  /**
   * Fills in what the request does not say itself.
   *
   * @param present names of the members that it sets
   */
  void fillIn(CompletionRequest request, Set<String> present) {
    if (maxTokens != null && !present.contains("max_tokens")) {
      request.setMaxTokens(maxTokens);
    }
    // The record's own default is 1.0; on a command line people expect the same answer twice.
    if (!present.contains("temperature")) {
      request.setTemperature(temperature == null ? 0 : temperature);
    }
    if (topP != null && !present.contains("top_p")) {
      request.setTopP(topP);
    }
    if (topK != null && !present.contains("top_k")) {
      request.setTopK(topK);
    }
    if (seed != null && !present.contains("seed")) {
      request.setSeed(seed);
    }
    if (stop != null && !present.contains("stop")) {
      request.setStop(stop);
    }
    if (choices != null && !present.contains("choices")) {
      request.setChoices(choices);
    }
    if (choicesMethod != null && !present.contains("choices_method")) {
      request.setChoicesMethod(choicesMethod);
    }
  }
}
