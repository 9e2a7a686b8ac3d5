package dev.flinfer.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flinfer.cli.RecordedConsole;
import java.io.IOException;
import org.junit.jupiter.api.Test;

final class BenchPipelineIT {
  private final RecordedConsole console = new RecordedConsole();

  @Test
  void comparesThePipelineWithTheEngineAndCountsEveryCompletion() throws IOException {
    assertThat(
            console.run(
                "bench",
                "--pipeline",
                "--model",
                "../../deploy/demo-model",
                "--batch",
                "4",
                "--prompt",
                "12",
                "--generate",
                "3",
                "--requests",
                "20",
                "--free-requests",
                "50",
                "--runs",
                "2",
                "--json"))
        .as(console.err())
        .isZero();

    JsonNode printed = new ObjectMapper().readTree(console.out());
    assertThat(printed.get("same_tokens").asBoolean()).isTrue();
    assertThat(printed.get("cores").asInt()).isPositive();
    assertThat(printed.get("results")).hasSize(2);
    for (JsonNode result : printed.get("results")) {
      boolean free = result.get("forward_pass").asText().equals("free");
      assertThat(result.get("requests").asInt()).isEqualTo(free ? 50 : 20);
      assertThat(result.get("prompt_tokens").asDouble()).isBetween(6.0, 12.0);
      for (String who : new String[] {"engine_", "pipeline_"}) {
        double requests = result.get(who + "requests_per_s").asDouble();
        double tokens = result.get(who + "tokens_per_s").asDouble();
        assertThat(requests).isPositive();
        assertThat(tokens).isBetween(2.99 * requests, 3.01 * requests);
        assertThat(result.get(who + "requests_per_cpu_s").asDouble()).isPositive();
        assertThat(result.get(who + "tokens_per_s_range").get(0).asDouble())
            .isLessThanOrEqualTo(tokens);
      }
      assertThat(result.get("ratio").asDouble()).isPositive();
    }
  }
}
