package dev.flinfer.cli.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flinfer.cli.Text;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.ModelSize;
import dev.flinfer.engine.cpu.CpuLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The measurements of {@code flinfer bench} of an engine, as a table and as JSON.
 *
 * @param weights the requested type of weights
 * @param loadSeconds time to open the engine
 * @param limits limits of the machine; null if the engine does not run on the CPU
 */
record BenchReport(
    ModelInfo model,
    String weights,
    Lengths lengths,
    double loadSeconds,
    Limits limits,
    List<Measurement> results) {
  private static final String ROW = "%6s%18s%17s%10s%8s%10s%10s";
  private static final double GIGA = 1e9;

  /** Tokens per prompt, tokens of the shared prefix, generated tokens, and runs per median. */
  record Lengths(int prompt, int prefix, int generate, int runs) {}

  /** The limits of the machine, and what the model needs of it. */
  record Limits(CpuLimits machine, ModelSize model) {}

  /**
   * Medians of one batch size.
   *
   * @param invariant whether a request had the same tokens and log-probabilities as when run alone
   */
  record Measurement(
      int batch,
      double prefill,
      double decode,
      double stepMillis,
      double cachedTokens,
      boolean invariant) {

    /** Returns the weights' share of the bytes that could be read in the time of a step. */
    double memoryShare(Limits limits) {
      double steps = 1000 / stepMillis;
      return limits.model.weightBytes() * steps / limits.machine.bytesPerSecond();
    }

    /** Returns the products' share of the arithmetic that could be done in the time of a step. */
    double arithmeticShare(Limits limits) {
      return limits.model.flopsPerToken() * decode / limits.machine.flopsPerSecond();
    }
  }

  boolean batchInvariant() {
    return results.stream().allMatch(Measurement::invariant);
  }

  List<String> table() {
    List<String> lines = new ArrayList<>();
    lines.add(
        "%s on %s, loaded in %s s"
            .formatted(model.name(), model.device(), Text.figure(loadSeconds)));
    lines.add("%d prompt tokens, %d generated".formatted(lengths.prompt, lengths.generate));
    if (limits != null) {
      lines.add(
          "limits of this machine: %s GB/s read from memory, %s GFLOP/s in fp32"
              .formatted(
                  Text.figure(limits.machine.bytesPerSecond() / GIGA),
                  Text.figure(limits.machine.flopsPerSecond() / GIGA)));
    }
    lines.add("");
    lines.add(
        ROW.formatted(
            "batch", "prefill tokens/s", "decode tokens/s", "ms/step", "cached", "memory", "fp32"));
    results.forEach(result -> lines.add(row(result)));
    lines.add("");
    lines.add(invariance());
    PeakMemory.mebibytes()
        .ifPresent(peak -> lines.add("peak memory %s MiB".formatted(Text.count(peak))));
    return lines;
  }

  private String row(Measurement m) {
    return ROW.formatted(
        m.batch,
        Text.figure(m.prefill),
        Text.figure(m.decode),
        Text.figure(m.stepMillis),
        Text.figure(m.cachedTokens),
        limits == null ? "-" : percent(m.memoryShare(limits)),
        limits == null ? "-" : percent(m.arithmeticShare(limits)));
  }

  private static String percent(double share) {
    return Text.figure(100 * share) + " %";
  }

  private String invariance() {
    if (batchInvariant()) {
      return "a request has the same tokens and log-probabilities alone and in each batch";
    }
    return "NOT batch invariant: tokens or log-probabilities differ from those of the request"
        + " alone in batches of "
        + results.stream()
            .filter(m -> !m.invariant)
            .map(m -> Integer.toString(m.batch))
            .collect(Collectors.joining(", "));
  }

  ObjectNode json() {
    ObjectNode object = new ObjectMapper().createObjectNode();
    object.put("model", model.name());
    object.put("device", model.device());
    object.put("weights", weights);
    object.put("prompt", lengths.prompt).put("generate", lengths.generate);
    object.put("prefix", lengths.prefix).put("runs", lengths.runs).put("load_s", loadSeconds);
    PeakMemory.mebibytes().ifPresent(peak -> object.put("peak_memory_mib", peak));
    object.put("batch_invariant", batchInvariant());
    if (limits != null) {
      object
          .putObject("limits")
          .put("memory_bytes_per_s", limits.machine.bytesPerSecond())
          .put("fp32_flop_per_s", limits.machine.flopsPerSecond())
          .put("weight_bytes", limits.model.weightBytes())
          .put("flop_per_token", limits.model.flopsPerToken());
    }
    ArrayNode array = object.putArray("results");
    for (Measurement m : results) {
      ObjectNode result = array.addObject();
      result
          .put("batch", m.batch)
          .put("prefill_tokens_per_s", m.prefill)
          .put("decode_tokens_per_s", m.decode)
          .put("step_ms", m.stepMillis)
          .put("cached_tokens", m.cachedTokens)
          .put("batch_invariant", m.invariant);
      if (limits != null) {
        result
            .put("memory_limit_share", m.memoryShare(limits))
            .put("fp32_limit_share", m.arithmeticShare(limits));
      }
    }
    return object;
  }
}
