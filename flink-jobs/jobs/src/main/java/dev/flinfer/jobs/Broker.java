package dev.flinfer.jobs;

import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.ApiException;

/** A connection to the brokers of a job, for short questions whose errors a user reads. */
final class Broker implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final JobOptions options;
  private final Admin admin;

  private Broker(JobOptions options, Admin admin) {
    this.options = options;
    this.admin = admin;
  }

  /**
   * @throws IllegalArgumentException if the options do not make a Kafka client
   */
  static Broker connect(JobOptions options) {
    Properties properties = options.clientConfig();
    String timeout = Long.toString(TIMEOUT.toMillis());
    properties.putIfAbsent(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, timeout);
    properties.putIfAbsent(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, timeout);
    try {
      return new Broker(options, Admin.create(properties));
    } catch (KafkaException e) {
      throw new IllegalArgumentException(
          "No Kafka client can be created for %s with %s: %s"
              .formatted(
                  options.bootstrapServers(),
                  KafkaOptions.PROPERTIES.key(),
                  e.getCause() == null ? e.getMessage() : e.getCause().getMessage()),
          e);
    }
  }

  Admin admin() {
    return admin;
  }

  /**
   * Returns the answer.
   *
   * @throws ApiException if the broker refuses the question
   * @throws IllegalArgumentException if no broker answers in time
   */
  <T> T await(KafkaFuture<T> future) {
    try {
      return future.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw unreachable(e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof org.apache.kafka.common.errors.TimeoutException) {
        throw unreachable(e.getCause());
      }
      if (e.getCause() instanceof ApiException) {
        throw (ApiException) e.getCause();
      }
      throw new IllegalArgumentException(
          "The Kafka broker at %s does not answer: %s"
              .formatted(options.bootstrapServers(), e.getCause().getMessage()),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while waiting for the broker", e);
    }
  }

  private IllegalArgumentException unreachable(Throwable cause) {
    return new IllegalArgumentException(
        "No Kafka broker answers at %s within %d s. Start it, or correct %s"
            .formatted(
                options.bootstrapServers(),
                TIMEOUT.toSeconds(),
                KafkaOptions.BOOTSTRAP_SERVERS.key()),
        cause);
  }

  @Override
  public void close() {
    admin.close(Duration.ZERO); // otherwise it waits for a broker that does not answer
  }
}
