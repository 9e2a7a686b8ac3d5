package dev.flinfer.jobs;

import static dev.flinfer.jobs.TestTopics.header;
import static dev.flinfer.jobs.TestTopics.record;
import static dev.flinfer.jobs.TestTopics.text;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.flink.EngineSupplier;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The contract with the real engine and the demo model. */
final class DemoModelJobIT extends CompletionJobContract {

  @Override
  String model() {
    return Path.of("..", "..", "deploy", "demo-model").toAbsolutePath().normalize().toString();
  }

  @Override
  EngineSupplier engines() {
    return EngineSupplier.shared();
  }

  @Test
  void aRequestWithChoicesIsAnsweredWithTheirProbabilities() throws Exception {
    TestTopics topics = TestTopics.create(kafka, "choices");
    String request =
        "{\"id\": \"%s\", \"prompt\": \"Ticket: I was charged twice.\\nCategory:\","
            + " \"choices\": [\" billing\", \" shipping\", \"%s\"], \"priority\": -1}";
    topics.send(
        List.of(
            record(topics.input, "a", request.formatted("good", " returns").getBytes(UTF_8)),
            record(topics.input, "b", request.formatted("bad", " billing").getBytes(UTF_8))));

    runToEnd(topics.config(model()), engines());

    assertThat(topics.read(topics.output))
        .singleElement()
        .satisfies(
            completion ->
                assertThat(text(completion.value()))
                    .contains("\"text\":\" billing\"", "\"finish_reason\":\"CHOICE\"")
                    .contains("\"label\":\" billing\"", "\"label_probabilities\":{\" billing\":0.9")
                    .contains("\"label_margin\":0.9", "\"label_entropy\":0.0"));
    assertThat(topics.read(topics.dlq))
        .singleElement()
        .satisfies(
            letter ->
                assertThat(header(letter, "__connect.errors.exception.message"))
                    .isEqualTo("choices has ' billing' twice; labels must differ"));
  }
}
