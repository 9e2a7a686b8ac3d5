package dev.flinfer.jobs.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flinfer.schema.Completion;

/**
 * What generate prints for a request.
 *
 * @param promptTokens (n) ids of the prompt as they went into the model
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
    ArrayNode tokens = object.putArray("tokens");
    completion.getTokenIds().forEach(tokens::add);
    object.put("text", completion.getText());
    object.put("finish_reason", completion.getFinishReason().name());
    ArrayNode logprobs = object.putArray("logprobs");
    if (completion.getLogprobs() != null) {
      completion.getLogprobs().forEach(logprobs::add);
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

  /** For people: the id as a heading, then the text. */
  String toText() {
    return "== " + completion.getId() + "\n" + completion.getText().strip() + "\n";
  }
}
