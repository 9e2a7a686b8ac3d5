package dev.flinfer.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.schema.CompletionRequest;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

final class SamplingParamsTest {
  @Test
  void defaultsAreThoseOfVllm() {
    SamplingParams params =
        SamplingParams.of(CompletionRequest.newBuilder().setId("a").setPrompt("p").build());

    assertThat(params.maxTokens()).isEqualTo(16);
    assertThat(params.temperature()).isEqualTo(1);
    assertThat(params.topP()).isEqualTo(1);
    assertThat(params.topK()).isZero();
    assertThat(params.logprobs()).isFalse();
  }

  @Test
  void withoutASeedTheIdMakesOne() {
    assertThat(seed(r -> r.setId("a"))).isEqualTo(seed(r -> r.setId("a")));
    assertThat(seed(r -> r.setId("a"))).isNotEqualTo(seed(r -> r.setId("b")));
    assertThat(seed(r -> r.setSeed(7L))).isEqualTo(7);
  }

  @Test
  void namesTheFieldItsValueAndTheRange() {
    refused(r -> r.setMaxTokens(0), "max_tokens is 0; it must be at least 1");
    refused(
        r -> r.setTemperature(Double.NaN),
        "temperature is NaN; it must be a finite number, at least 0");
    refused(
        r -> r.setTemperature(-0.5), "temperature is -0.5; it must be a finite number, at least 0");
    refused(
        r -> r.setTemperature(Double.POSITIVE_INFINITY),
        "temperature is Infinity; it must be a finite number, at least 0");
    refused(r -> r.setTopP(0), "top_p is 0.0; it must be above 0 and at most 1");
    refused(r -> r.setTopP(1.1), "top_p is 1.1; it must be above 0 and at most 1");
    refused(r -> r.setTopP(Double.NaN), "top_p is NaN; it must be above 0 and at most 1");
    refused(r -> r.setTopK(-2), "top_k is -2; it must be at least 1, or 0 or -1 for all tokens");
    refused(r -> r.setLogprobs(2), "logprobs is 2; it must be 0 or 1");
    refused(r -> r.setStop(List.of("a", "")), "stop is an empty string");
  }

  private static long seed(Consumer<CompletionRequest.Builder> change) {
    return SamplingParams.of(request(change)).seed();
  }

  private static void refused(Consumer<CompletionRequest.Builder> change, String message) {
    assertThatThrownBy(() -> SamplingParams.of(request(change)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageStartingWith(message);
  }

  private static CompletionRequest request(Consumer<CompletionRequest.Builder> change) {
    CompletionRequest.Builder builder = CompletionRequest.newBuilder().setId("id").setPrompt("p");
    change.accept(builder);
    return builder.build();
  }
}
