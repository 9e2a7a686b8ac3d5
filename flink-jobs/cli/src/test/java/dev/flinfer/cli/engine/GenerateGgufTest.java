package dev.flinfer.cli.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flinfer.cli.RecordedConsole;
import dev.flinfer.engine.RandomGguf;
import dev.flinfer.engine.weights.DType;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code generate --model x.gguf} with each type that docs/models.md lists. */
final class GenerateGgufTest {
  @TempDir Path directory;

  private final RecordedConsole console = new RecordedConsole();

  @ParameterizedTest
  @EnumSource
  void completesAPrompt(DType dtype) throws IOException {
    Path file = directory.resolve("x.gguf");
    RandomGguf.write(file, RandomGguf.shapeFor(dtype), dtype, 1);
    String[] arguments = {
      "generate", "--model", file.toString(), "--prompt", "the", "--max-tokens", "4", "--json"
    };

    assertThat(console.run(arguments)).as(console.err()).isZero();

    JsonNode completion = new ObjectMapper().readTree(console.out());
    assertThat(completion.get("prompt_tokens"))
        .hasSize(1); // the file's own merges combine it into one
    assertThat(completion.get("tokens")).hasSizeBetween(1, 4);
    assertThat(completion.get("finish_reason").asText()).isIn("LENGTH", "STOP");
  }
}
