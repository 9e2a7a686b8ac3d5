package dev.flinfer.cli.kafka;

import dev.flinfer.jobs.KafkaOptions;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.Throughput;
import dev.flinfer.schema.WireFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Reads the job's topics as any consumer would, and passes the records on. */
public final class Readback implements AutoCloseable {
  public static final String PROMPTS = KafkaOptions.INPUT_TOPIC.defaultValue();
  public static final String COMPLETIONS = KafkaOptions.OUTPUT_TOPIC.defaultValue();
  static final String DLQ = KafkaOptions.DLQ_TOPIC.defaultValue();
  static final String THROUGHPUT = KafkaOptions.METRICS_TOPIC.defaultValue();
  public static final List<String> TOPICS = List.of(PROMPTS, COMPLETIONS, DLQ, THROUGHPUT);

  private static final Duration POLL = Duration.ofMillis(100);

  private final WireFormat.Reader<Completion> completions =
      WireFormat.JSON.reader(Completion.class);
  private final WireFormat.Reader<Throughput> throughput = WireFormat.JSON.reader(Throughput.class);
  private final Map<String, Long> records = new LinkedHashMap<>();
  private final TopicReader reader;
  private final Sink sink;

  /** Receives each record of the job's output topics. */
  public interface Sink {
    void completion(Completion completion);

    /**
     * @param key key of the record; null if it has none
     */
    void rejection(String key, byte[] value);

    void throughput(Throughput report);
  }

  public Readback(KafkaArguments kafka, Sink sink) throws IOException {
    this.reader = TopicReader.open(kafka, TOPICS, true);
    this.sink = sink;
    TOPICS.forEach(topic -> records.put(topic, 0L));
  }

  /** Reads the available records, waiting briefly for them. */
  public void poll() {
    for (ConsumerRecord<byte[], byte[]> record : reader.poll(POLL)) {
      records.merge(record.topic(), 1L, Long::sum);
      accept(record);
    }
  }

  private void accept(ConsumerRecord<byte[], byte[]> record) {
    if (record.topic().equals(COMPLETIONS)) {
      sink.completion(completions.read(record.value()));
    } else if (record.topic().equals(THROUGHPUT)) {
      sink.throughput(throughput.read(record.value()));
    } else if (record.topic().equals(DLQ)) {
      // The value can be anything; the key is kept, and it is the prompt's id.
      byte[] key = record.key();
      String id = key == null ? null : new String(key, StandardCharsets.UTF_8);
      sink.rejection(id, record.value());
    }
  }

  /** Reads all records committed so far. */
  public void readToEnd() {
    do {
      poll();
    } while (!reader.isAtEnd());
  }

  /** Returns the number of records read from each topic. */
  public Map<String, Long> records() {
    return records;
  }

  @Override
  public void close() {
    reader.close();
  }
}
