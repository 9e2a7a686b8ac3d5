package dev.flinfer.jobs.sink;

import dev.flinfer.jobs.failure.KafkaFailures;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.apache.flink.api.common.JobInfo;
import org.apache.flink.api.common.TaskInfo;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.metrics.groups.SinkWriterMetricGroup;
import org.apache.flink.util.FlinkRuntimeException;
import org.apache.flink.util.UserCodeClassLoader;
import org.apache.flink.util.function.ThrowingRunnable;

/**
 * The context of a writer, except that failures which Kafka's writer reports through the mailbox
 * are explained: most failed sends are.
 */
final class ExplainingContext implements WriterInitContext {
  private final WriterInitContext context;
  private final KafkaFailures failures;

  ExplainingContext(WriterInitContext context, KafkaFailures failures) {
    this.context = context;
    this.failures = failures;
  }

  @Override
  public MailboxExecutor getMailboxExecutor() {
    return new Explaining(context.getMailboxExecutor());
  }

  private final class Explaining implements MailboxExecutor {
    private final MailboxExecutor mailbox;

    Explaining(MailboxExecutor mailbox) {
      this.mailbox = mailbox;
    }

    @Override
    public void execute(
        MailOptions options,
        ThrowingRunnable<? extends Exception> command,
        String description,
        Object... arguments) {
      mailbox.execute(options, () -> run(command), description, arguments);
    }

    private void run(ThrowingRunnable<? extends Exception> command) throws Exception {
      try {
        command.run();
      } catch (Exception e) {
        failures.explain(e);
        throw e;
      }
    }

    @Override
    public void yield() throws InterruptedException, FlinkRuntimeException {
      mailbox.yield();
    }

    @Override
    public boolean tryYield() throws FlinkRuntimeException {
      return mailbox.tryYield();
    }

    @Override
    public boolean shouldInterrupt() {
      return mailbox.shouldInterrupt();
    }
  }

  @Override
  public UserCodeClassLoader getUserCodeClassLoader() {
    return context.getUserCodeClassLoader();
  }

  @Override
  public ProcessingTimeService getProcessingTimeService() {
    return context.getProcessingTimeService();
  }

  @Override
  public SinkWriterMetricGroup metricGroup() {
    return context.metricGroup();
  }

  @Override
  public SerializationSchema.InitializationContext asSerializationSchemaInitializationContext() {
    return context.asSerializationSchemaInitializationContext();
  }

  @Override
  public boolean isObjectReuseEnabled() {
    return context.isObjectReuseEnabled();
  }

  @Override
  public <T> TypeSerializer<T> createInputSerializer() {
    return context.createInputSerializer();
  }

  @Override
  public <M> Optional<Consumer<M>> metadataConsumer() {
    return context.metadataConsumer();
  }

  @Override
  public OptionalLong getRestoredCheckpointId() {
    return context.getRestoredCheckpointId();
  }

  @Override
  public JobInfo getJobInfo() {
    return context.getJobInfo();
  }

  @Override
  public TaskInfo getTaskInfo() {
    return context.getTaskInfo();
  }
}
