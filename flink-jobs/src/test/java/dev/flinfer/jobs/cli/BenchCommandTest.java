package dev.flinfer.jobs.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
    // 48 of the 50 tokens are whole blocks, and the warm-up has put them into the cache.
    assertThat(result.get("cached_tokens").asInt()).isEqualTo(4 * 48);
  }

  @Test
  void printsATable() {
    assertThat(bench("--batch", "2", "--prompt", "20", "--generate", "4")).isZero();

    assertThat(console.out())
        .contains("20 prompt tokens, 4 generated")
        .contains("prefill tokens/s")
        .contains("decode tokens/s");
  }

  @Test
  void refusesWhatCannotBeMeasured() {
    assertThat(bench("--generate", "1")).isEqualTo(1);
    assertThat(console.err()).contains("--generate is 1; it must be at least 2");
    assertThat(console.run("bench", "--random", "phi-9")).isEqualTo(1);
    assertThat(console.err())
        .contains("random model phi-9 is not known; there are phi-1, phi-1.5, phi-2");
    assertThat(bench("--prompt", "10", "--prefix", "10")).isEqualTo(1);
    assertThat(console.err()).contains("--prefix is 10; it must be less than --prompt");
  }

  @Test
  void theMedianOfAnEvenNumberIsTheMeanOfTheMiddleTwo() {
    assertThat(BenchCommand.median(List.of(9.0, 1.0, 2.0))).isEqualTo(2);
    assertThat(BenchCommand.median(List.of(9.0, 1.0, 2.0, 4.0))).isEqualTo(3);
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
