package dev.flinfer.cli.kafka;

import dev.flinfer.cli.Console;
import dev.flinfer.jobs.KafkaOptions;
import dev.flinfer.schema.WireFormat;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.apache.kafka.common.errors.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "consume",
    description = "Print a topic's records as JSON, one per line.",
    footer = {
      "",
      "Reads committed records of all partitions, without a consumer group. A record",
      "of the dead letter queue is printed with the headers that give the reason.",
      "",
      "Example:",
      "  flinfer consume --bootstrap-servers localhost:9092 --from-beginning \\",
      "    --timeout 10 > completions.jsonl"
    })
public final class ConsumeCommand implements Callable<Integer> {
  private static final Duration POLL = Duration.ofMillis(200);

  private final Console console;

  @Mixin private KafkaArguments kafka;

  @Option(
      names = "--topic",
      paramLabel = "NAME",
      description = "The topic (default: the job's output topic, completions).")
  private String topic = KafkaOptions.OUTPUT_TOPIC.defaultValue();

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description = "Format of the records: json, avro (default: detected by their first bytes).")
  private WireFormat format;

  @Option(
      names = "--from-beginning",
      description = "Start with the oldest record instead of the next one.")
  private boolean fromBeginning;

  @Option(names = "--max-messages", paramLabel = "N", description = "End after N records.")
  private long maxMessages = Long.MAX_VALUE;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      description = "End when no record arrives for this long (default: wait forever).")
  private double timeoutSeconds = Double.POSITIVE_INFINITY;

  @Option(
      names = "--show-key",
      description = "Print {\"key\": ..., \"value\": ...} instead of the value.")
  private boolean showKey;

  public ConsumeCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    RecordPrinter printer = new RecordPrinter(format, showKey);
    TopicLookup.require(kafka, topic);
    try (TopicReader reader = TopicReader.open(kafka, topic, fromBeginning)) {
      long printed = 0;
      long lastRecord = console.nanoTime().getAsLong();
      while (printed < maxMessages && secondsSince(lastRecord) < timeoutSeconds) {
        for (var record : reader.poll(POLL)) {
          if (printed < maxMessages) {
            console.out().println(printer.print(record));
            printed++;
          }
          lastRecord = console.nanoTime().getAsLong();
        }
        console.out().flush();
      }
    } catch (TimeoutException e) {
      throw kafka.unreachable(e);
    }
    return 0;
  }

  private double secondsSince(long nanos) {
    return (console.nanoTime().getAsLong() - nanos) / 1e9;
  }
}
