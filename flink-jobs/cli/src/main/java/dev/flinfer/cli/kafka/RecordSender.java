package dev.flinfer.cli.kafka;

import dev.flinfer.cli.RequestEncoder;
import java.io.IOException;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Writes records to a topic and counts those the broker acknowledged. Used by one thread. */
public final class RecordSender implements AutoCloseable {
  private final KafkaProducer<byte[], byte[]> producer;
  private final String topic;
  private final AtomicLong acknowledged = new AtomicLong();
  private final AtomicReference<KafkaException> failure = new AtomicReference<>();

  /**
   * @throws KafkaException if the broker does not answer or has no such topic
   */
  public RecordSender(KafkaArguments kafka, String topic) throws IOException {
    Properties properties = kafka.properties();
    properties.putIfAbsent(
        ProducerConfig.MAX_BLOCK_MS_CONFIG, Integer.toString(KafkaArguments.TIMEOUT_MS));
    properties.putIfAbsent(ProducerConfig.LINGER_MS_CONFIG, "5");
    ByteArraySerializer serializer = new ByteArraySerializer();
    this.producer = new KafkaProducer<>(properties, serializer, serializer);
    this.topic = topic;
    boolean reached = false;
    try {
      producer.partitionsFor(topic);
      reached = true;
    } finally {
      if (!reached) {
        producer.close();
      }
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // the callback receives failures
  public void send(RequestEncoder.Encoded record) {
    throwFailure();
    producer.send(
        new ProducerRecord<>(topic, record.key(), record.value()),
        (metadata, e) -> {
          if (e == null) {
            acknowledged.incrementAndGet();
          } else {
            failure.compareAndSet(
                null, e instanceof KafkaException known ? known : new KafkaException(e));
          }
        });
  }

  /** Waits until the broker has acknowledged all records. */
  public void flush() {
    producer.flush();
    throwFailure();
  }

  /** Returns the number of records that the broker has acknowledged. */
  public long acknowledged() {
    return acknowledged.get();
  }

  /** Closes without waiting for records that the broker has not acknowledged. */
  public void closeNow() {
    producer.close(Duration.ZERO);
  }

  private void throwFailure() {
    if (failure.get() != null) {
      throw failure.get();
    }
  }

  @Override
  public void close() {
    producer.close();
  }
}
