package dev.flinfer.cli.kafka;

import dev.flinfer.cli.Console;
import dev.flinfer.cli.Lines;
import dev.flinfer.cli.ProgressPrinter;
import dev.flinfer.cli.RequestEncoder;
import dev.flinfer.cli.SamplingArguments;
import dev.flinfer.cli.Text;
import dev.flinfer.cli.UserError;
import dev.flinfer.jobs.KafkaOptions;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.WireFormat;
import dev.flinfer.schema.WireFormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.kafka.common.errors.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "produce",
    description = "Write prompts to a topic.",
    footer = {
      "",
      "A line that starts with { is a request as JSON, which is checked and sent",
      "unchanged; any other line is a prompt, to which the sampling options apply. An",
      "invalid line is reported and skipped, and the exit code is 1.",
      "",
      "Example:",
      "  echo 'The capital of France is' |",
      "    flinfer produce - --bootstrap-servers localhost:9092"
    })
public final class ProduceCommand implements Callable<Integer> {
  private final Console console;

  @Parameters(paramLabel = "FILE", description = "Lines in UTF-8; - is standard input.")
  private Path file;

  @Mixin private KafkaArguments kafka;

  @Option(
      names = "--topic",
      paramLabel = "NAME",
      description = "The topic (default: the job's input topic, prompts).")
  private String topic = KafkaOptions.INPUT_TOPIC.defaultValue();

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description = "Format of the records: json, avro (default: json).")
  private WireFormat format = WireFormat.JSON;

  @Option(
      names = "--key",
      paramLabel = "KEY",
      description = "Key of the records (default: the request's id, or none).")
  private String key;

  @Mixin private SamplingArguments sampling;

  public ProduceCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    long total = Lines.count(file);
    RequestEncoder encoder = new RequestEncoder(format, key, this::ofText);
    TopicLookup.require(kafka, topic);
    int bad = 0;
    try (Lines lines = Lines.open(file);
        RecordSender sender = new RecordSender(kafka, topic);
        ProgressPrinter progress = new ProgressPrinter(console, "records", total)) {
      for (Lines.Line line = lines.nextNonBlank(); line != null; line = lines.nextNonBlank()) {
        try {
          sender.send(encoder.encode(line.text()));
        } catch (UserError | WireFormatException e) {
          bad++;
          progress.clear();
          console.say(line.problem(e));
        }
        progress.update(sender.acknowledged());
      }
      sender.flush();
      progress.clear();
      console.say("%s to topic %s".formatted(Text.plural(sender.acknowledged(), "record"), topic));
    } catch (TimeoutException e) {
      throw kafka.unreachable(e);
    }
    return bad == 0 ? 0 : 1;
  }

  private CompletionRequest ofText(String prompt) {
    CompletionRequest request = CompletionRequest.newBuilder().setPrompt(prompt).build();
    sampling.fillIn(request, Set.of());
    return request;
  }
}
