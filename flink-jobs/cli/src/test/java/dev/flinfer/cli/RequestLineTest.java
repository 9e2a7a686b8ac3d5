package dev.flinfer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.WireFormat;
import dev.flinfer.schema.WireFormatException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

final class RequestLineTest {

  private static SamplingArguments sampling(String... args) {
    SamplingArguments sampling = new SamplingArguments();
    CommandLine.populateCommand(sampling, args);
    return sampling;
  }

  @Test
  void optionsApplyToWhatTheLineDoesNotSet() {
    RequestLine line = RequestLine.parse("{\"prompt\": \"Hi\", \"temperature\": 1, \"seed\": 7}");
    sampling("--max-tokens=9", "--temperature=0.5", "--seed=1", "--stop=x", "--stop=y")
        .fillIn(line.request(), line.present());

    assertThat(line.request().getMaxTokens()).isEqualTo(9);
    assertThat(line.request().getTemperature()).isEqualTo(1.0);
    assertThat(line.request().getSeed()).isEqualTo(7);
    assertThat(line.request().getStop()).isEqualTo(List.of("x", "y"));
  }

  @Test
  void optionsApplyToWhatTheLineSetsToNull() {
    RequestLine line =
        RequestLine.parse("{\"prompt\": \"Hi\", \"temperature\": null, \"n\": null}");
    sampling("--temperature=0.5").fillIn(line.request(), line.present());

    assertThat(line.request().getTemperature()).isEqualTo(0.5);
    assertThat(line.request().getN()).isEqualTo(1);
  }

  @Test
  void thePriorityOfTheLineOverridesTheOption() {
    SamplingArguments options = sampling("--priority=-3");
    RequestLine without = RequestLine.parse("{\"prompt\": \"Hi\"}");
    RequestLine with = RequestLine.parse("{\"prompt\": \"Hi\", \"priority\": 2}");
    options.fillIn(without.request(), without.present());
    options.fillIn(with.request(), with.present());

    assertThat(without.request().getPriority()).isEqualTo(-3);
    assertThat(with.request().getPriority()).isEqualTo(2);
  }

  @Test
  void withoutOptionsARequestIsGreedyAndSixteenTokensLong() {
    RequestLine line = RequestLine.parse("{\"prompt\": \"Hi\"}");
    sampling().fillIn(line.request(), line.present());

    assertThat(line.request().getTemperature()).isZero();
    assertThat(line.request().getMaxTokens()).isEqualTo(16);
    assertThat(line.request().getTopP()).isEqualTo(1.0);
    assertThat(line.request().getTopK()).isZero();
  }

  @Test
  void nanIsLeftToTheEngineToRefuse() {
    RequestLine line = RequestLine.parse("{\"prompt\": \"Hi\", \"temperature\": NaN}");

    assertThat(line.present()).isEqualTo(Set.of("prompt", "temperature"));
    assertThat(line.request().getTemperature()).isNaN();
  }

  @Test
  void anUnknownFieldIsRefused() {
    assertThatThrownBy(() -> RequestLine.parse("{\"prompt\": \"Hi\", \"temprature\": 1}"))
        .isInstanceOf(WireFormatException.class)
        .hasMessageContaining("temprature");
  }

  @Test
  void jsonIsSentUnchangedWithItsIdAsKey() {
    String line = "{ \"id\":\"a\", \"prompt\" : \"Hi\" }";
    RequestEncoder encoder = new RequestEncoder(WireFormat.JSON, null, this::ofText);

    RequestEncoder.Encoded record = encoder.encode(line);

    assertThat(record.value()).asString(StandardCharsets.UTF_8).isEqualTo(line);
    assertThat(record.key()).asString(StandardCharsets.UTF_8).isEqualTo("a");
  }

  @Test
  void jsonBecomesAvroIfRequested() {
    RequestEncoder encoder = new RequestEncoder(WireFormat.AVRO, "k", this::ofText);

    RequestEncoder.Encoded record = encoder.encode("{\"id\":\"a\",\"prompt\":\"Hi\",\"top_k\":3}");

    CompletionRequest read = WireFormat.AVRO.reader(CompletionRequest.class).read(record.value());
    assertThat(read.getTopK()).isEqualTo(3);
    assertThat(record.key()).asString(StandardCharsets.UTF_8).isEqualTo("k");
  }

  @Test
  void otherLinesArePromptsWithoutAKey() {
    RequestEncoder encoder = new RequestEncoder(WireFormat.JSON, null, this::ofText);

    RequestEncoder.Encoded record = encoder.encode("Once upon {a} time ");

    assertThat(WireFormat.JSON.reader(CompletionRequest.class).read(record.value()).getPrompt())
        .isEqualTo("Once upon {a} time ");
    assertThat(record.key()).isNull();
  }

  private CompletionRequest ofText(String text) {
    return CompletionRequest.newBuilder().setPrompt(text).build();
  }
}
