package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.batching.FaultyForwardPass;
import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.RejectionStage;
import dev.flinfer.schema.SourceRecord;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiPredicate;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.formats.avro.typeutils.AvroTypeInfo;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The job with the real engine on a device that fails on chosen tokens, or permanently. */
@Timeout(180)
final class FaultyDeviceIT {
  private static final int REQUESTS = 120;
  private static final int POISON = 200;
  private static final AtomicInteger OPENED = new AtomicInteger();

  /** The fault of the engine that is opened first; the devices of later engines work. */
  private static volatile BiPredicate<Long, Boolean> fault;

  @RegisterExtension static final MiniClusterExtension CLUSTER = TestCluster.ofSlots(1);

  @Test
  void onlyFailingRequestsAreRejectedAndTheOthersHaveTheSameCompletions() throws Exception {
    Map<String, String> sound = run((step, poisoned) -> false);
    assertThat(OPENED).hasValue(1);
    assertThat(sound).hasSize(REQUESTS);

    Map<String, String> faulty = run((step, poisoned) -> poisoned);

    assertThat(OPENED).as("the task does not fail").hasValue(1);
    assertThat(faulty).hasSize(REQUESTS);
    for (int i = 0; i < REQUESTS; i++) {
      if (isPoisoned(i)) {
        assertThat(faulty.get("r" + i))
            .matches(
                "GENERATE after 2 attempts: The forward pass over request r\\d+ alone failed 2"
                    + " times: java.lang.IllegalStateException: CL_OUT_OF_RESOURCES in step \\d+");
      } else {
        assertThat(faulty.get("r" + i)).isEqualTo(sound.get("r" + i));
      }
    }
  }

  @Test
  void aDeadDeviceFailsTheTaskAndNoRequestIsRejected() throws Exception {
    Map<String, String> sound = run((step, poisoned) -> false);

    Map<String, String> restarted = run((step, poisoned) -> step > 100);

    assertThat(OPENED).as("engines opened").hasValue(2);
    assertThat(restarted).isEqualTo(sound);
  }

  private static boolean isPoisoned(long i) {
    return i % 17 == 5;
  }

  private static String json(long i) {
    return ("{\"id\": \"r%d\", \"prompt_token_ids\": [%d, 9, %d], \"max_tokens\": 20, \"logprobs\": 0,"
            + " \"logit_bias\": {\"%d\": -100}}")
        .formatted(i, 1 + i % 100, isPoisoned(i) ? POISON : 7, POISON);
  }

  /** Outcomes by id: tokens and log-probabilities, or the reason of the rejection. */
  @SuppressWarnings("try") // the iterator's close throws whatever the job threw
  private static Map<String, String> run(BiPredicate<Long, Boolean> first) throws Exception {
    fault = first;
    OPENED.set(0);
    Configuration config = new Configuration();
    config.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
    config.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofMillis(10));
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.getExecutionEnvironment(config).setParallelism(1);
    env.enableCheckpointing(20);
    config.set(FlinferOptions.MODEL, "faulty");
    config.set(FlinferOptions.MAX_ATTEMPTS, 2);
    DataStream<SourceRecord> input =
        env.fromSequence(0, REQUESTS - 1)
            .map(i -> TestRecords.record(i, json(i)))
            .returns(new AvroTypeInfo<>(SourceRecord.class));
    Inference inference = Inference.of(input, config, options -> open(options));
    DataStream<String> completions =
        inference
            .completions()
            .map(r -> r.getCompletion())
            .map(c -> c.getId() + "=" + c.getTokenIds() + c.getLogprobs() + c.getText().length())
            .returns(Types.STRING);
    DataStream<String> rejections =
        inference.rejections().map(FaultyDeviceIT::reason).returns(Types.STRING);
    Map<String, String> outcomes = new TreeMap<>();
    try (CloseableIterator<String> all = completions.union(rejections).executeAndCollect()) {
      all.forEachRemaining(
          outcome -> {
            String[] parts = outcome.split("=", 2);
            assertThat(outcomes.put(parts[0], parts[1])).as(parts[0]).isNull();
          });
    }
    return outcomes;
  }

  private static String reason(Rejection rejection) {
    assertThat(rejection.getStage()).isEqualTo(RejectionStage.GENERATE);
    return "%s=%s after %d attempts: %s"
        .formatted(
            rejection.getId(),
            rejection.getStage(),
            rejection.getAttempts(),
            rejection.getErrorMessage());
  }

  private static LlmEngine open(EngineOptions options) {
    FaultyForwardPass forward = new FaultyForwardPass(40);
    if (OPENED.getAndIncrement() == 0) {
      forward.throwsWhere((step, plan) -> fault.test(step, FaultyForwardPass.holds(plan, POISON)));
    }
    return FaultyForwardPass.engine(forward, InstantSource.system());
  }
}
