package dev.flinfer.cli.engine;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionOutput;
import dev.flinfer.schema.TokenLogprob;
import java.util.List;

/**
 * The output of {@code generate} for one request.
 *
 * @param promptTokens (n) token ids of the prompt
 */
@SuppressWarnings("ArrayRecordComponent") // printed, never compared
record Answer(int[] promptTokens, Completion completion) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** One JSON object on one line. */
  String toJson() {
    ObjectNode object = JSON.createObjectNode();
    object.put("id", completion.getId());
    ArrayNode prompt = object.putArray("prompt_tokens");
    for (int token : promptTokens) {
      prompt.add(token);
    }
    putText(
        object,
        new CompletionOutput(
            0,
            completion.getText(),
            completion.getFinishReason(),
            completion.getTokenIds(),
            completion.getLogprobs(),
            completion.getTopLogprobs()));
    if (!completion.getOutputs().isEmpty()) {
      ArrayNode outputs = object.putArray("outputs");
      for (CompletionOutput output : completion.getOutputs()) {
        putText(outputs.addObject().put("index", output.getIndex()), output);
      }
    }
    if (completion.getLabel() != null) {
      object.put("label", completion.getLabel());
      ObjectNode probabilities = object.putObject("label_probabilities");
      completion.getLabelProbabilities().forEach(probabilities::put);
      object.put("label_margin", completion.getLabelMargin());
      object.put("label_entropy", completion.getLabelEntropy());
    }
    return object.toString();
  }

  private static void putText(ObjectNode object, CompletionOutput output) {
    ArrayNode tokens = object.putArray("tokens");
    output.getTokenIds().forEach(tokens::add);
    object.put("text", output.getText());
    object.put("finish_reason", output.getFinishReason().name());
    ArrayNode logprobs = object.putArray("logprobs");
    if (output.getLogprobs() != null) {
      output.getLogprobs().forEach(logprobs::add);
    }
    if (output.getTopLogprobs() != null) {
      putTopLogprobs(object, output.getTopLogprobs());
    }
  }

  private static void putTopLogprobs(ObjectNode object, List<List<TokenLogprob>> alternatives) {
    ArrayNode all = object.putArray("top_logprobs");
    for (List<TokenLogprob> top : alternatives) {
      ArrayNode each = all.addArray();
      for (TokenLogprob log : top) {
        each.addObject().put("token_id", log.getTokenId()).put("logprob", log.getLogprob());
      }
    }
  }

  /** Formats for display: the id as a heading, then the text; several texts are numbered. */
  String toText() {
    if (completion.getOutputs().isEmpty()) {
      return text(completion.getId(), completion.getText());
    }
    StringBuilder all = new StringBuilder();
    for (CompletionOutput output : completion.getOutputs()) {
      String heading = completion.getId() + " " + output.getIndex();
      all.append(all.isEmpty() ? "" : "\n").append(text(heading, output.getText()));
    }
    return all.toString();
  }

  private static String text(String heading, String text) {
    return "== " + heading + "\n" + text.strip() + "\n";
  }
}
