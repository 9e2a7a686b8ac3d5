package dev.flinfer.engine.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.flinfer.schema.CompletionRequest;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

final class SamplerTest {
  /** Probabilities 0.5, 0.25, 0.125, 0.125 after three values of another row. */
  private static final float[] LOGITS = {
    9,
    9,
    9,
    (float) Math.log(0.25),
    (float) Math.log(0.5),
    (float) Math.log(0.125),
    (float) Math.log(0.125)
  };

  private static final int DRAWS = 20_000;

  @Test
  void greedyTakesTheFirstOfATie() {
    assertThat(new Sampler(4).sample(LOGITS, 3, params(0, 1, 0), 0)).isEqualTo(1);
    assertThat(Sampler.argmax(new float[] {1, 3, 3, 2}, 0, 4)).isEqualTo(1);
    assertThat(Sampler.argmax(new float[] {9, -0f, 0, -1}, 1, 3)).isZero();
    float least = Float.NEGATIVE_INFINITY;
    assertThat(Sampler.argmax(new float[] {least, least}, 0, 2)).isZero();
    // NaN is skipped unless it is the first value: then it is chosen, and the caller detects it.
    assertThat(Sampler.argmax(new float[] {1, Float.NaN, 3, 2}, 0, 4)).isEqualTo(2);
    assertThat(Sampler.argmax(new float[] {Float.NaN, 1, 3, 2}, 0, 4)).isZero();
  }

  @Test
  void samplesTokensInProportionToTheirProbabilities() {
    assertThat(frequencies(params(1, 1, 0))).satisfies(f -> near(f, 0.25, 0.5, 0.125, 0.125));
  }

  @Test
  void temperatureSharpensAndFlattens() {
    // p^2 and p^(1/2), normalized.
    assertThat(frequencies(params(0.5, 1, 0)))
        .satisfies(f -> near(f, 0.0625 / 0.34375, 0.25 / 0.34375, 0.0454545, 0.0454545));
    assertThat(frequencies(params(2, 1, 0)))
        .satisfies(f -> near(f, 0.2612, 0.3694, 0.1847, 0.1847));
  }

  @Test
  void topKKeepsTheMostLikely() {
    assertThat(frequencies(params(1, 1, 1))).satisfies(f -> near(f, 0, 1, 0, 0));
    assertThat(frequencies(params(1, 1, 2))).satisfies(f -> near(f, 1 / 3.0, 2 / 3.0, 0, 0));
    // Of two equally likely tokens, the first is kept.
    assertThat(frequencies(params(1, 1, 3))).satisfies(f -> near(f, 2 / 7.0, 4 / 7.0, 1 / 7.0, 0));
  }

  @Test
  void topPKeepsTheSmallestSetThatReachesTheProbability() {
    assertThat(frequencies(params(1, 0.4, 0))).satisfies(f -> near(f, 0, 1, 0, 0));
    assertThat(frequencies(params(1, 0.6, 0))).satisfies(f -> near(f, 1 / 3.0, 2 / 3.0, 0, 0));
    assertThat(frequencies(params(1, 0.999, 0))).satisfies(f -> near(f, 0.25, 0.5, 0.125, 0.125));
  }

  @Test
  void topPAppliesToTheTokensThatTopKLeaves() {
    // Two tokens are left, with 2/3 and 1/3: the first reaches 0.6 by itself.
    assertThat(frequencies(params(1, 0.6, 2))).satisfies(f -> near(f, 0, 1, 0, 0));
  }

  @Test
  void allTokensSampledByRankOrByIdHaveTheSameProbabilities() {
    Random random = new Random(5);
    float[] logits = new float[50];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) random.nextGaussian() * 3;
    }
    double[] all = frequencies(logits, 0, 50, params(1, 1, 0));
    double[] ranked = frequencies(logits, 0, 50, params(1, 1, 49));
    for (int i = 0; i < 50; i++) {
      assertThat(ranked[i]).isCloseTo(all[i], within(0.02));
    }
  }

  @Test
  void theChoiceDependsOnlyOnSeedAndPosition() {
    SamplingParams a = SamplingParams.of(request().setSeed(1L).build());
    SamplingParams b = SamplingParams.of(request().setSeed(2L).build());
    TreeSet<String> draws = new TreeSet<>();
    for (SamplingParams params : List.of(a, b)) {
      StringBuilder tokens = new StringBuilder();
      for (int position = 0; position < 40; position++) {
        int token = new Sampler(4).sample(LOGITS, 3, params, position);
        assertThat(new Sampler(4).sample(LOGITS, 3, params, position)).isEqualTo(token);
        tokens.append(token);
      }
      draws.add(tokens.toString());
    }
    assertThat(draws).hasSize(2);
  }

  @Test
  void uniformNumbersFillTheUnitInterval() {
    int[] bins = new int[10];
    for (int i = 0; i < DRAWS; i++) {
      bins[(int) (10 * Sampler.uniform(i / 100, i % 100))]++;
    }
    for (int count : bins) {
      assertThat(count).isBetween(1800, 2200);
    }
  }

  @Test
  void minPKeepsTokensThatAreLikelyEnoughRelativeToTheMostLikely() {
    assertThat(frequencies(minP(0.3))).satisfies(f -> near(f, 1 / 3.0, 2 / 3.0, 0, 0));
    assertThat(frequencies(minP(0.2))).satisfies(f -> near(f, 0.25, 0.5, 0.125, 0.125));
    assertThat(frequencies(minP(1))).satisfies(f -> near(f, 0, 1, 0, 0));
    // After temperature: at 1/2 the second is 1/4 as likely as the first.
    assertThat(frequencies(minP(0.3).setTemperature(0.5))).satisfies(f -> near(f, 0, 1, 0, 0));
    // Before top_p, which applies to the rest: of 2/3 and 1/3 the first reaches 0.6 by itself.
    assertThat(frequencies(minP(0.3).setTopP(0.6))).satisfies(f -> near(f, 0, 1, 0, 0));
    assertThat(frequencies(minP(0.3).setTopK(3))).satisfies(f -> near(f, 1 / 3.0, 2 / 3.0, 0, 0));
  }

  /** Compares with sorting the full row and applying the parameters in sequence. */
  @Test
  void pruningChangesNoChoice() {
    Random random = new Random(8);
    for (int round = 0; round < 400; round++) {
      int vocab = 1 + random.nextInt(3000);
      float[] logits = new float[vocab + 2];
      double spread = random.nextDouble() * 4;
      for (int i = 0; i < logits.length; i++) {
        // Rounded to steps, so that many are equal.
        logits[i] = (float) (Math.round(random.nextGaussian() * spread * 8) / 8.0);
      }
      SamplingParams params =
          SamplingParams.of(
              request()
                  .setTemperature(0.3 + random.nextInt(3) * 0.7)
                  .setTopP(List.of(1.0, 0.1, 0.5, 0.9, 0.9999999).get(random.nextInt(5)))
                  .setTopK(List.of(0, 1, 5, 50, 1000).get(random.nextInt(5)))
                  .setMinP(random.nextBoolean() ? 0 : random.nextDouble() * 0.2)
                  .setSeed((long) round)
                  .build());
      Sampler sampler = new Sampler(vocab);
      for (int position = 0; position < 5; position++) {
        assertThat(sampler.sample(logits, 2, params, position))
            .as("round %d, %s", round, params)
            .isEqualTo(PlainSampler.sample(logits, 2, vocab, params, position));
      }
    }
  }

  @Test
  void logprobsAreOfTheModel() {
    TokenLogprobs logs = TokenLogprobs.of(LOGITS, 3, 4, 3, 3);
    assertThat(logs.chosen()).isCloseTo((float) Math.log(0.125), within(1e-6f));
    assertThat(logs.topTokens()).containsExactly(1, 0, 2);
    assertThat(logs.top()[0]).isCloseTo((float) Math.log(0.5), within(1e-6f));
    assertThat(logs.top()[2]).isEqualTo(logs.chosen());
    assertThat(TokenLogprobs.of(LOGITS, 3, 4, 0, 0).top()).isEmpty();
    assertThat(TokenLogprobs.of(LOGITS, 3, 4, 0, 20).topTokens()).containsExactly(1, 0, 2, 3);
  }

  private static double[] frequencies(CompletionRequest.Builder request) {
    return frequencies(SamplingParams.of(request.build()));
  }

  private static double[] frequencies(SamplingParams params) {
    return frequencies(LOGITS, 3, 4, params);
  }

  private static double[] frequencies(float[] logits, int at, int vocab, SamplingParams params) {
    double[] frequencies = new double[vocab];
    Sampler sampler = new Sampler(vocab);
    for (int i = 0; i < DRAWS; i++) {
      frequencies[sampler.sample(logits, at, params, i)] += 1.0 / DRAWS;
    }
    return frequencies;
  }

  private static void near(double[] actual, double... expected) {
    assertThat(actual).containsExactly(expected, within(0.015));
  }

  private static SamplingParams params(double temperature, double topP, int topK) {
    return SamplingParams.of(
        request().setTemperature(temperature).setTopP(topP).setTopK(topK).build());
  }

  private static CompletionRequest.Builder minP(double minP) {
    return request().setMinP(minP);
  }

  private static CompletionRequest.Builder request() {
    return CompletionRequest.newBuilder().setId("id").setPrompt("p").setSeed(42L);
  }
}
