package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.LlmEngine;
import dev.flinfer.schema.SourceRecord;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.formats.avro.typeutils.AvroTypeInfo;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A million prompts of 4 KB, 4 GB in total, with a heap of half that size: the input waits. */
@Timeout(300)
final class MillionPromptsIT {
  private static final int PROMPTS = 1_000_000;
  private static final int PROMPT_CHARACTERS = 4096;
  private static final long MAX_TOKENS = 64L * PROMPT_CHARACTERS;
  private static final int SAMPLES = 10;

  /** Bytes in use after a garbage collection, at every tenth of the prompts. */
  private static final List<Long> HEAP = new CopyOnWriteArrayList<>();

  private static final List<Integer> MOST_IN_ENGINE = new CopyOnWriteArrayList<>();

  @RegisterExtension static final MiniClusterExtension CLUSTER = TestCluster.ofSlots(1);

  @Test
  void heapIsBoundedByTokensWhateverIsQueued() throws Exception {
    Configuration config = new Configuration();
    config.set(FlinferOptions.MODEL, "fake");
    config.set(FlinferOptions.MAX_IN_FLIGHT, PROMPTS); // no bound: only the tokens limit
    config.set(FlinferOptions.MAX_IN_FLIGHT_TOKENS, MAX_TOKENS);
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.getExecutionEnvironment(new Configuration()).setParallelism(1);
    env.enableCheckpointing(500);
    String prompt = "x".repeat(PROMPT_CHARACTERS);
    DataStream<SourceRecord> input =
        env.fromSequence(0, PROMPTS - 1)
            .map(
                i ->
                    TestRecords.record(
                        i, "{\"id\": \"r" + i + "\", \"prompt\": \"" + prompt + "\"}"))
            .returns(new AvroTypeInfo<>(SourceRecord.class));
    Inference inference = Inference.of(input, config, options -> engine());
    inference.completions().sinkTo(new DiscardingSink<>());

    env.execute();

    assertThat(HEAP).hasSize(SAMPLES);
    long first = HEAP.get(0);
    System.out.printf("heap in use, MB: %s%n", HEAP.stream().map(b -> b >> 20).toList());
    assertThat(HEAP).allSatisfy(bytes -> assertThat(bytes - first).isLessThan(32L << 20));
    // Admission is checked before a record is read, so the last record may exceed the limit.
    assertThat(MOST_IN_ENGINE).hasSize(SAMPLES).allMatch(most -> most <= 64);
  }

  /** An engine that is slower than the source: it answers only when the task waits for it. */
  private static LlmEngine engine() {
    return new SlowEngine(
        PROMPTS / SAMPLES,
        mostHeld -> {
          System.gc();
          HEAP.add(ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
          MOST_IN_ENGINE.add(mostHeld);
        });
  }
}
