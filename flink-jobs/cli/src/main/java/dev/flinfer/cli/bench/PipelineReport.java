package dev.flinfer.cli.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flinfer.cli.Text;
import dev.flinfer.cli.bench.BenchWork.Result;
import dev.flinfer.cli.bench.PipelineBench.Measurement;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * The measurements of {@code flinfer bench --pipeline}, as a table and as JSON.
 *
 * @param model path of the model
 * @param generate generated tokens per request
 * @param runs runs per median
 */
record PipelineReport(String model, int generate, int runs, List<Measurement> results) {
  private static final String ROW = "  %-32s%s";

  boolean sameTokens() {
    return results.stream().allMatch(Measurement::sameTokens);
  }

  List<String> table() {
    List<String> lines = new ArrayList<>();
    lines.add(
        "%s; broker, job and engine in this process, on %s"
            .formatted(model, Text.plural(cores(), "core")));
    lines.add("medians of %s, and their range".formatted(Text.plural(runs, "run")));
    for (Measurement m : results) {
      lines.add("");
      lines.add(
          "%s: %s of %s prompt tokens, %d generated"
              .formatted(
                  m.forwardPass().equals("free") ? "forward pass that costs nothing" : "the model",
                  Text.plural(m.requests(), "request"),
                  Text.figure(m.promptTokens()),
                  generate));
      row(lines, "tokens/s, engine alone", m.engine(Result::tokensPerSecond));
      row(lines, "tokens/s, Kafka to Kafka", m.pipeline(Result::tokensPerSecond));
      row(lines, "ratio", m.ratio());
      row(lines, "mean batch, engine alone", m.engine(Result::meanBatch));
      row(lines, "mean batch, Kafka to Kafka", m.pipeline(Result::meanBatch));
      row(lines, "requests/s, Kafka to Kafka", m.pipeline(Result::requestsPerSecond));
      row(lines, "requests/CPU s, engine alone", m.engine(Result::requestsPerCpuSecond));
      row(lines, "requests/CPU s, Kafka to Kafka", m.pipeline(Result::requestsPerCpuSecond));
    }
    lines.add("");
    lines.add(
        sameTokens()
            ? "every completion has the same tokens as with the engine alone"
            : "NOT THE SAME: some completions have other tokens than with the engine alone");
    return lines;
  }

  private static void row(List<String> lines, String name, Spread figures) {
    lines.add(ROW.formatted(name, figures));
  }

  private static int cores() {
    return Runtime.getRuntime().availableProcessors();
  }

  ObjectNode json() {
    ObjectNode object = new ObjectMapper().createObjectNode();
    object.put("model", model).put("generate", generate).put("runs", runs);
    object.put("cores", cores()).put("same_tokens", sameTokens());
    ArrayNode array = object.putArray("results");
    for (Measurement m : results) {
      ObjectNode result = array.addObject();
      result
          .put("forward_pass", m.forwardPass())
          .put("requests", m.requests())
          .put("prompt_tokens", m.promptTokens())
          .put("same_tokens", m.sameTokens());
      put(result, "ratio", m.ratio());
      put(result, m, "tokens_per_s", Result::tokensPerSecond);
      put(result, m, "mean_batch", Result::meanBatch);
      put(result, m, "requests_per_s", Result::requestsPerSecond);
      put(result, m, "requests_per_cpu_s", Result::requestsPerCpuSecond);
    }
    return object;
  }

  private static void put(
      ObjectNode object, Measurement m, String name, ToDoubleFunction<Result> figure) {
    put(object, "engine_" + name, m.engine(figure));
    put(object, "pipeline_" + name, m.pipeline(figure));
  }

  private static void put(ObjectNode object, String name, Spread figures) {
    object.put(name, figures.median());
    object.putArray(name + "_range").add(figures.min()).add(figures.max());
  }
}
