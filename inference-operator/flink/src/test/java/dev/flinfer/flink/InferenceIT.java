package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.SharedEngines;
import dev.flinfer.schema.SourceRecord;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.formats.avro.typeutils.AvroTypeInfo;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Metric;
import org.apache.flink.runtime.testutils.InMemoryReporter;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.util.CloseableIterator;
import org.apache.flink.util.function.SerializableFunction;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A job on Flink's MiniCluster, with an engine whose device runs in a thread. */
@Timeout(120)
final class InferenceIT {
  private static final int PARALLELISM = 2;
  private static final int RECORDS = 400;
  private static final SharedEngines ENGINES = new SharedEngines(InferenceIT::open);

  /** In the order in which they were opened; the first fails at {@link #failsAtStep}. */
  private static final List<FakeEngine> OPENED = new CopyOnWriteArrayList<>();

  private static volatile long failsAtStep;

  private static final InMemoryReporter METRICS = InMemoryReporter.createWithRetainedMetrics();

  @RegisterExtension
  static final MiniClusterExtension CLUSTER =
      TestCluster.ofSlots(PARALLELISM, METRICS.addToConfiguration(new Configuration()));

  @BeforeEach
  void forgetEngines() {
    OPENED.clear();
    failsAtStep = Long.MAX_VALUE;
  }

  @Test
  void everyRecordHasOneOutcomeWithCheckpointsOnAndWithoutGenericTypes() throws Exception {
    assertEachRecordHasOneOutcome(run(job("disable")));
    assertThat(OPENED).hasSize(1);
    assertThat(OPENED.get(0).closes()).isEqualTo(1);
  }

  @Test
  void everyRecordHasOneOutcomeIfTheDeviceFailsHalfWay() throws Exception {
    failsAtStep = 120; // of about 260
    assertEachRecordHasOneOutcome(run(job("fixed-delay")));
    assertThat(OPENED).hasSize(2);
    assertThat(OPENED).allSatisfy(engine -> assertThat(engine.closes()).isEqualTo(1));
  }

  /** Every id occurs three times, at different places, and the device fails half-way. */
  @Test
  void anIdIsAnsweredOnceWithDeduplication() throws Exception {
    failsAtStep = 60;
    int ids = 120;
    Map<String, Integer> outcomes =
        run(
            job(
                "fixed-delay",
                i -> i % 10 == 3 ? json(i) : json(i).replace("r" + i, "same" + i % ids),
                Duration.ofHours(1)));
    assertThat(OPENED).hasSize(2);
    assertThat(outcomes.values()).containsOnly(1);
    assertThat(outcomes.keySet().stream().filter(a -> a.startsWith("rejected"))).hasSize(40);
    assertThat(
            outcomes.keySet().stream()
                .filter(a -> a.startsWith("completed"))
                .map(a -> a.split(" ", -1)[1]))
        .containsExactlyInAnyOrderElementsOf(
            LongStream.range(0, ids).filter(i -> i % 10 != 3).mapToObj(i -> "same" + i).toList());
  }

  @Test
  void duplicatesAreCounted() throws Exception {
    long before = duplicates();
    String one = "{\"id\": \"same%d\", \"prompt\": \"hello\", \"max_tokens\": 1}";
    Map<String, Integer> outcomes =
        run(job("disable", i -> one.formatted(i % 40), Duration.ofHours(1)));
    assertThat(outcomes).hasSize(40);
    assertThat(outcomes.values()).containsOnly(1);
    assertThat(duplicates() - before).isEqualTo(RECORDS - 40);
  }

  /** The number of duplicates in all jobs so far. */
  private static long duplicates() {
    long sum = 0;
    for (Map<String, Metric> group : METRICS.getMetricsByGroup().values()) {
      sum += group.get("duplicates") instanceof Counter counter ? counter.getCount() : 0;
    }
    return sum;
  }

  private static Inference job(String restartStrategy) {
    return job(restartStrategy, InferenceIT::json, Duration.ZERO);
  }

  private static Inference job(
      String restartStrategy, SerializableFunction<Long, String> json, Duration deduplicateTtl) {
    Configuration config = new Configuration();
    config.set(PipelineOptions.GENERIC_TYPES, false);
    config.set(RestartStrategyOptions.RESTART_STRATEGY, restartStrategy);
    config.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofMillis(10));
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.getExecutionEnvironment(config).setParallelism(PARALLELISM);
    env.enableCheckpointing(20);
    env.getCheckpointConfig().enableUnalignedCheckpoints(!deduplicateTtl.isZero());
    DataStream<SourceRecord> input =
        env.fromSequence(0, RECORDS - 1)
            .map(i -> TestRecords.record(i, json.apply(i)))
            .returns(new AvroTypeInfo<>(SourceRecord.class));
    config.set(FlinferOptions.MAX_IN_FLIGHT, 8);
    config.set(FlinferOptions.DEDUPLICATE_TTL, deduplicateTtl);
    EngineOptions engine = EngineOptions.of(Path.of("fake"));
    // Not a method reference, which would be serialized together with the engines.
    return Inference.of(input, engine, config, options -> ENGINES.acquire(options));
  }

  private static void assertEachRecordHasOneOutcome(Map<String, Integer> outcomes) {
    assertThat(outcomes.keySet())
        .containsExactlyInAnyOrderElementsOf(
            LongStream.range(0, RECORDS).mapToObj(InferenceIT::outcome).toList());
    assertThat(outcomes.values()).containsOnly(1);
  }

  private static String json(long i) {
    return i % 10 == 3
        ? "{\"id\": "
        : "{\"id\": \"r%d\", \"prompt\": \"hello\", \"max_tokens\": %d}".formatted(i, i % 20);
  }

  private static String outcome(long i) {
    String id = "r" + i;
    return i % 10 == 3
        ? "rejected " + i
        : "completed %s key %d %s".formatted(id, i, FakeEngine.tokensOf(id, (int) (i % 20)));
  }

  @SuppressWarnings("try") // the iterator's close throws whatever the job threw
  private static Map<String, Integer> run(Inference inference) throws Exception {
    DataStream<String> completions =
        inference
            .completions()
            .map(
                record ->
                    "completed %s %s %s"
                        .formatted(
                            record.getCompletion().getId(),
                            TestRecords.text(record.getKey()),
                            record.getCompletion().getTokenIds()))
            .returns(Types.STRING);
    DataStream<String> rejections =
        inference
            .rejections()
            .map(r -> "rejected " + r.getRecord().getOffset())
            .returns(Types.STRING);
    Map<String, Integer> outcomes = new TreeMap<>();
    try (CloseableIterator<String> all = completions.union(rejections).executeAndCollect()) {
      all.forEachRemaining(outcome -> outcomes.merge(outcome, 1, Integer::sum));
    }
    return outcomes;
  }

  private static LlmEngine open(EngineOptions options) {
    FakeEngine engine = new FakeEngine();
    long lastStep = OPENED.isEmpty() ? failsAtStep : Long.MAX_VALUE;
    OPENED.add(engine);
    Thread device = new Thread(() -> runDevice(engine, lastStep), "device");
    device.setDaemon(true);
    device.start();
    return engine;
  }

  private static void runDevice(FakeEngine engine, long lastStep) {
    while (engine.closes() == 0 && engine.stats().steps() < lastStep) {
      engine.step();
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
    if (engine.closes() == 0) {
      engine.die(new EngineException("out of memory"));
    }
  }
}
