package dev.flinfer.jobs.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.TokenLogprob;
import java.util.List;

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
    if (completion.getTopLogprobs() != null) {
      putTopLogprobs(object, completion.getTopLogprobs());
    }
    return object.toString();
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

  /** For people: the id as a heading, then the text. */
  String toText() {
    return "== " + completion.getId() + "\n" + completion.getText().strip() + "\n";
  }
}
