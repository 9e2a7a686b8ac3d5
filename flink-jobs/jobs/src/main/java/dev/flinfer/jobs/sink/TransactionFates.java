package dev.flinfer.jobs.sink;

import dev.flinfer.jobs.sink.CheckedCommitter.Fate;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Queries the broker for how transactions ended. */
final class TransactionFates implements Function<KafkaCommittable, Fate> {
  private static final Logger LOG = LoggerFactory.getLogger(TransactionFates.class);
  private static final long TIMEOUT_SECONDS = 30;

  private final Properties clientConfig;

  TransactionFates(Properties clientConfig) {
    this.clientConfig = clientConfig;
  }

  @Override
  public Fate apply(KafkaCommittable transaction) {
    String id = transaction.getTransactionalId();
    Admin admin = Admin.create(clientConfig);
    try {
      TransactionDescription description =
          admin
              .describeTransactions(List.of(id))
              .description(id)
              .get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      // With another producer id, the broker forgot the transaction and the id was reused.
      return description.producerId() == transaction.getProducerId()
          ? fate(description)
          : Fate.UNKNOWN;
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("The fate of transaction {} is unknown", id, e);
      return Fate.UNKNOWN;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Fate.UNKNOWN;
    } finally {
      admin.close(Duration.ZERO); // otherwise it waits for a broker that does not answer
    }
  }

  private static Fate fate(TransactionDescription description) {
    switch (description.state()) {
      case PREPARE_COMMIT:
      case COMPLETE_COMMIT:
        return Fate.COMMITTED;
      case PREPARE_ABORT:
      case COMPLETE_ABORT:
      case PREPARE_EPOCH_FENCE:
        return Fate.ABORTED;
      default:
        return Fate.UNKNOWN;
    }
  }
}
