package dev.flinfer.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flinfer.cli.RecordedConsole;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BenchCommandTest {
  @TempDir static Path directory;

  private final RecordedConsole console = new RecordedConsole();

  @BeforeAll
  static void writeModel() {
    RandomCheckpoint.write(directory, RandomCheckpoint.Shape.EVEN, DType.F16, 1);
  }

  @Test
  void printsAFigureForEachBatch() throws IOException {
    assertThat(bench("--batch", "1,4", "--prompt", "40", "--generate", "8", "--json")).isZero();

    JsonNode printed = new ObjectMapper().readTree(console.out());
    assertThat(printed.get("model").asText()).isEqualTo(directory.getFileName().toString());
    assertThat(printed.get("device").asText()).startsWith("cpu (");
    assertThat(printed.get("weights").asText()).isEqualTo("auto");
    assertThat(printed.get("load_s").asDouble()).isPositive();
    if (Files.exists(Path.of("/proc/self/status"))) {
      assertThat(printed.get("peak_memory_mib").asLong()).isPositive();
    }
    assertThat(printed.get("results")).hasSize(2);
    for (JsonNode result : printed.get("results")) {
      assertThat(result.get("prefill_tokens_per_s").asDouble()).isPositive();
      assertThat(result.get("decode_tokens_per_s").asDouble()).isPositive();
      assertThat(result.get("step_ms").asDouble()).isPositive();
      assertThat(result.get("cached_tokens").asInt()).isZero();
    }
    assertThat(printed.get("results").get(1).get("batch").asInt()).isEqualTo(4);
  }

  @Test
  void aSharedPrefixIsTakenFromTheCache() throws IOException {
    assertThat(bench("--batch", "4", "--prompt", "60", "--prefix", "50", "--json")).isZero();

    JsonNode result = new ObjectMapper().readTree(console.out()).get("results").get(0);
    // 48 of the 50 tokens are full KV blocks, and the warm-up has put them into the cache.
    assertThat(result.get("cached_tokens").asInt()).isEqualTo(4 * 48);
  }

  @Test
  void printsATable() {
    assertThat(bench("--batch", "2", "--prompt", "20", "--generate", "4")).isZero();

    assertThat(console.out())
        .contains("20 prompt tokens, 4 generated")
        .contains("prefill tokens/s")
        .contains("decode tokens/s")
        .contains("limits of this machine: ")
        .contains("a request has the same tokens and log-probabilities alone and in each batch");
  }

  @Test
  void refusesValuesThatCannotBeMeasured() {
    assertThat(bench("--generate", "1")).isEqualTo(2);
    assertThat(console.err()).contains("--generate is 1; it must be at least 2");
    assertThat(console.run("bench", "--random", "phi-9")).isEqualTo(2);
    assertThat(console.err())
        .contains("random model phi-9 is unknown; use one of phi-1, phi-1.5, phi-2");
    assertThat(bench("--prompt", "10", "--prefix", "10")).isEqualTo(2);
    assertThat(console.err()).contains("--prefix is 10; it must be less than --prompt");
  }

  @Test
  void comparesADecodeStepWithTheMachinesLimits() throws IOException {
    assertThat(bench("--device", "cpu", "--batch", "2", "--prompt", "20", "--json")).isZero();

    JsonNode printed = new ObjectMapper().readTree(console.out());
    JsonNode limits = printed.get("limits");
    double memory = limits.get("memory_bytes_per_s").asDouble();
    double fp32 = limits.get("fp32_flop_per_s").asDouble();
    assertThat(memory).isGreaterThan(1e8);
    assertThat(fp32).isGreaterThan(1e8);
    // The shape's matrices in f16: q, k, v, dense, fc1 and fc2 of each layer, and lm_head.
    RandomCheckpoint.Shape shape = RandomCheckpoint.Shape.EVEN;
    long hidden = shape.hidden();
    long weights =
        shape.layers() * (4 * hidden * hidden + 2 * hidden * shape.intermediate())
            + shape.vocab() * hidden;
    assertThat(limits.get("weight_bytes").asLong()).isEqualTo(2 * weights);
    assertThat(limits.get("flop_per_token").asLong()).isEqualTo(2 * weights);
    JsonNode result = printed.get("results").get(0);
    double steps = 1000 / result.get("step_ms").asDouble();
    assertThat(result.get("memory_limit_share").asDouble())
        .isCloseTo(2 * weights * steps / memory, withinPercentage(0.1));
    assertThat(result.get("fp32_limit_share").asDouble())
        .isCloseTo(
            2 * weights * result.get("decode_tokens_per_s").asDouble() / fp32,
            withinPercentage(0.1));
  }

  @Test
  void checksThatABatchChangesNothing() throws IOException {
    assertThat(bench("--batch", "1,3", "--prompt", "20", "--generate", "6", "--json")).isZero();

    JsonNode printed = new ObjectMapper().readTree(console.out());
    assertThat(printed.get("batch_invariant").asBoolean()).isTrue();
    assertThat(printed.get("results").get(1).get("batch_invariant").asBoolean()).isTrue();
  }

  @Test
  void measuresOnlyTheHostWithAForwardPassThatCostsNothing() throws IOException {
    assertThat(
            console.run(
                "bench",
                "--random",
                "phi-2",
                "--free",
                "--batch",
                "2",
                "--prompt",
                "4",
                "--generate",
                "3",
                "--temperature",
                "0.8",
                "--runs",
                "1",
                "--json"))
        .as(console.err())
        .isZero();

    JsonNode printed = new ObjectMapper().readTree(console.out());
    assertThat(printed.get("device").asText()).startsWith("none");
    assertThat(printed.get("batch_invariant").asBoolean()).isTrue();
    assertThat(printed.has("limits")).isFalse(); // they are for the model on the CPU
    assertThat(printed.get("results").get(0).get("step_ms").asDouble()).isPositive();
    assertThat(printed.get("results").get(0).has("memory_limit_share")).isFalse();
  }

  @Test
  void refusesPipelineOptionsWithoutThePipeline() {
    assertThat(bench("--requests", "5")).isEqualTo(2);
    assertThat(console.err())
        .contains("--requests is given without --pipeline; add --pipeline or remove it");
    assertThat(bench("--free-requests", "5")).isEqualTo(2);
    assertThat(console.err())
        .contains("--free-requests is given without --pipeline; add --pipeline or remove it");
    assertThat(bench("--pipeline", "--requests", "0")).isEqualTo(2);
    assertThat(console.err()).contains("--requests is 0; it must be at least 1");
    assertThat(bench("--pipeline", "--free-requests", "0")).isEqualTo(2);
    assertThat(console.err()).contains("--free-requests is 0; it must be at least 1");
    assertThat(bench("--pipeline", "--generate", "0")).isEqualTo(2);
    assertThat(console.err()).contains("--generate is 0; it must be at least 1");
    assertThat(bench("--pipeline", "--prefix", "8")).isEqualTo(2);
    assertThat(console.err()).contains("--prefix is 8; with --pipeline it must be 0");
    assertThat(bench("--pipeline", "--temperature", "1")).isEqualTo(2);
    assertThat(console.err())
        .contains(
            "--temperature is given with --pipeline, which is greedy and measures both; remove it");
    assertThat(bench("--temperature", "-1")).isEqualTo(2);
    assertThat(console.err())
        .contains("--temperature is -1.0; it must be a finite number, at least 0");
  }

  private int bench(String... arguments) {
    String[] all = new String[arguments.length + 3];
    all[0] = "bench";
    all[1] = "--model";
    all[2] = directory.toString();
    System.arraycopy(arguments, 0, all, 3, arguments.length);
    return console.run(all);
  }
}
