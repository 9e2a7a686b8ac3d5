package dev.flinfer.cli.bench;

import dev.flinfer.cli.UserError;
import dev.flinfer.cli.kafka.KafkaArguments;
import dev.flinfer.cli.kafka.Readback;
import dev.flinfer.cli.kafka.TopicReader;
import dev.flinfer.cli.local.EmbeddedKafka;
import dev.flinfer.cli.local.LocalJob;
import dev.flinfer.engine.EngineStats;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.flink.EngineSupplier;
import dev.flinfer.jobs.KafkaOptions;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.WireFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The completion job and a Kafka broker in this process, with an engine of the caller. Requests are
 * written in one transaction and become visible to the job when it commits, so that only broker and
 * job work while the time is taken.
 */
final class PipelineJob implements AutoCloseable {
  private static final Duration CHECKPOINT_INTERVAL = Duration.ofSeconds(5);
  private static final Duration POLL = Duration.ofMillis(100);
  private static final long QUERY_MILLIS = 100; // each query is work for the broker
  private static final long TIMEOUT_SECONDS = 30;
  private static final int QUERIES_BEFORE_CHECK = 20;
  private static final long STALLED_NANOS = TimeUnit.MINUTES.toNanos(5);
  private static final TopicPartition OUT = new TopicPartition(Readback.COMPLETIONS, 0);

  /** A supplier is serialized to the task, so it cannot hold the engine. */
  private static volatile LlmEngine lent;

  private final WireFormat.Writer<CompletionRequest> writer =
      WireFormat.JSON.writer(CompletionRequest.class);
  private final WireFormat.Reader<Completion> reader = WireFormat.JSON.reader(Completion.class);
  private final EmbeddedKafka kafka;
  private LocalJob job;
  private Admin admin;
  private KafkaProducer<byte[], byte[]> producer;
  private TopicReader completions;

  private PipelineJob(EmbeddedKafka kafka) {
    this.kafka = kafka;
  }

  /**
   * Starts broker and job.
   *
   * @param config the engine's options, on which the job's limits depend
   */
  static PipelineJob start(LlmEngine engine, Configuration config) throws IOException {
    PipelineJob pipeline = new PipelineJob(EmbeddedKafka.start());
    boolean started = false;
    try {
      pipeline.open(engine, config);
      started = true;
    } finally {
      if (!started) {
        pipeline.close();
      }
    }
    return pipeline;
  }

  private void open(LlmEngine engine, Configuration config) throws IOException {
    KafkaArguments arguments = KafkaArguments.of(kafka.bootstrapServers());
    kafka.createTopics(1, Readback.TOPICS.toArray(String[]::new));
    config.set(KafkaOptions.BOOTSTRAP_SERVERS, kafka.bootstrapServers());
    config.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, CHECKPOINT_INTERVAL);
    config.set(RestartStrategyOptions.RESTART_STRATEGY, "none");
    lent = engine;
    EngineSupplier supplier = options -> new LentEngine(lent);
    job = LocalJob.start(config, supplier);
    admin = kafka.admin();
    completions = TopicReader.open(arguments, Readback.COMPLETIONS, false);
    ByteArraySerializer bytes = new ByteArraySerializer();
    producer =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers",
                kafka.bootstrapServers(),
                "transactional.id",
                "flinfer-bench",
                "transaction.timeout.ms",
                (int) TimeUnit.MINUTES.toMillis(15),
                "linger.ms",
                5),
            bytes,
            bytes);
    producer.initTransactions();
  }

  /** Sends the requests through the job and waits for all completions. */
  BenchWork.Run run(List<CompletionRequest> requests) {
    long wanted = endOfCompletions() + requests.size();
    preload(requests);
    EngineStats before = lent.stats();
    long cpu = BenchWork.cpuNanos();
    long start = System.currentTimeMillis();
    producer.commitTransaction();
    await(wanted);
    double cpuSeconds = (BenchWork.cpuNanos() - cpu) / BenchWork.NANOS_PER_SECOND;
    double meanBatch = BenchWork.meanBatch(before, lent.stats());
    Map<String, Completion> completed = new HashMap<>();
    long last = readBack(requests.size(), completed);
    return new BenchWork.Run((last - start) / 1e3, cpuSeconds, meanBatch, completed);
  }

  @SuppressWarnings("FutureReturnValueIgnored") // the commit throws if any of them failed
  private void preload(List<CompletionRequest> requests) {
    producer.beginTransaction();
    for (CompletionRequest request : requests) {
      producer.send(
          new ProducerRecord<>(
              Readback.PROMPTS,
              request.getId().getBytes(StandardCharsets.UTF_8),
              writer.write(request)));
    }
    producer.flush();
  }

  /** Waits until the topic ends at the given offset, committed or not, without reading records. */
  private void await(long wanted) {
    long before = -1;
    int idle = 0;
    long changed = System.nanoTime();
    for (long end = endOfCompletions(); end < wanted; end = endOfCompletions()) {
      if (end > before) {
        before = end;
        idle = 0;
        changed = System.nanoTime();
      } else if (++idle % QUERIES_BEFORE_CHECK == 0
          && (job.hasEnded() || System.nanoTime() - changed > STALLED_NANOS)) {
        throw new UserError("the job stopped writing completions; the log gives the reason");
      }
      pause();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(QUERY_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UserError("interrupted", e);
    }
  }

  private long endOfCompletions() {
    try {
      return admin
          .listOffsets(Map.of(OUT, OffsetSpec.latest()))
          .partitionResult(OUT)
          .get(TIMEOUT_SECONDS, TimeUnit.SECONDS)
          .offset();
    } catch (ExecutionException | TimeoutException e) {
      throw new UserError("the broker in this process does not answer: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UserError("interrupted", e);
    }
  }

  /** Reads the given number of committed completions; returns the time of the last one. */
  private long readBack(int count, Map<String, Completion> completed) {
    long last = 0;
    int read = 0;
    long deadline = System.nanoTime() + STALLED_NANOS;
    while (read < count) {
      for (ConsumerRecord<byte[], byte[]> record : completions.poll(POLL)) {
        Completion completion = reader.read(record.value());
        completed.put(completion.getId(), completion);
        last = Math.max(last, record.timestamp());
        read++;
      }
      if (job.hasEnded() || System.nanoTime() > deadline) {
        throw new UserError("the job did not commit its completions; the log gives the reason");
      }
    }
    return last;
  }

  @Override
  public void close() {
    if (producer != null) {
      producer.close();
    }
    if (completions != null) {
      completions.close();
    }
    if (admin != null) {
      admin.close();
    }
    if (job != null) {
      job.close();
    }
    kafka.close();
    lent = null;
  }
}
