package dev.flinfer.engine.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.schema.CompletionRequest;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
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
    assertThat(params.n()).isEqualTo(1);
    assertThat(params.minP()).isZero();
    assertThat(params.penalties()).isEqualTo(new Penalties(0, 0, 1));
    assertThat(params.logitBias()).isEmpty();
    assertThat(params.stops()).isEqualTo(StopConditions.NONE);
    assertThat(params.returnsLogprobs()).isFalse();
  }

  @Test
  void withoutASeedItIsDerivedFromTheId() {
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
    refused(r -> r.setN(0), "n is 0; it must be from 1 to 128");
    refused(r -> r.setN(129), "n is 129; it must be from 1 to 128");
    refused(
        r -> r.setN(2).setTemperature(0),
        "n is 2; it must be 1 with temperature 0, where all outputs would be the same");
    refused(r -> r.setMinP(-0.1), "min_p is -0.1; it must be from 0 to 1");
    refused(r -> r.setMinP(1.5), "min_p is 1.5; it must be from 0 to 1");
    refused(r -> r.setMinP(Double.NaN), "min_p is NaN; it must be from 0 to 1");
    refused(r -> r.setPresencePenalty(2.5), "presence_penalty is 2.5; it must be from -2 to 2");
    refused(r -> r.setFrequencyPenalty(-3), "frequency_penalty is -3.0; it must be from -2 to 2");
    refused(
        r -> r.setRepetitionPenalty(0),
        "repetition_penalty is 0.0; it must be a finite number above 0; 1 is no penalty");
    refused(r -> r.setMinTokens(-1), "min_tokens is -1; it must be from 0 to max_tokens, which is");
    refused(
        r -> r.setMaxTokens(4).setMinTokens(5),
        "min_tokens is 5; it must be from 0 to max_tokens, which is 4");
    refused(r -> r.setLogprobs(-1), "logprobs is -1; it must be from 0 to 20");
    refused(r -> r.setLogprobs(21), "logprobs is 21; it must be from 0 to 20");
    refused(
        r -> r.setLogitBias(Map.of("5", 101.0)),
        "logit_bias of 5 is 101.0; it must be from -100 to 100");
    refused(
        r -> r.setLogitBias(Map.of("x", 1.0)),
        "logit_bias has the key \"x\"; its keys must be token ids, whole numbers");
    refused(r -> r.setLogitBias(Map.of("5", 1.0, "05", 1.0)), "logit_bias of ");
    refused(r -> r.setStop(List.of("a", "")), "stop is an empty string");
  }

  @Test
  void listsHaveALimitedSize() {
    SamplingParams largest =
        SamplingParams.of(
            request(
                r ->
                    r.setStop(Collections.nCopies(64, "x".repeat(1000)))
                        .setStopTokenIds(ids(1024))
                        .setLogitBias(biases(1024))));
    assertThat(largest.stops().strings().longest()).isEqualTo(1000);
    assertThat(largest.stops().endsWith(1023, Set.of())).isTrue();
    assertThat(largest.stops().endsWith(1024, Set.of())).isFalse();
    assertThat(largest.logitBias()).hasSize(1024);

    refused(
        r -> r.setStop(Collections.nCopies(65, "x")),
        "stop has 65 strings; the maximum is 64. Leave out those that matter least");
    refused(
        r -> r.setStop(List.of("a", "x".repeat(1001))),
        "stop[1] has 1001 characters; the maximum is 1000. Give only its beginning");
    refused(
        r -> r.setStopTokenIds(ids(1025)),
        "stop_token_ids has 1025 ids; the maximum is 1024. Give the texts that the tokens share as"
            + " stop instead");
    refused(
        r -> r.setLogitBias(biases(1025)),
        "logit_bias has 1025 tokens; the maximum is 1024. Rule out more tokens by a regex in"
            + " structured_outputs");
  }

  private static List<Integer> ids(int count) {
    return IntStream.range(0, count).boxed().toList();
  }

  private static Map<String, Double> biases(int count) {
    return ids(count).stream().collect(Collectors.toMap(id -> "" + id, id -> 1.0));
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
