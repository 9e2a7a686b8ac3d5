package dev.flinfer.cli.kafka;

import dev.flinfer.cli.Console;
import dev.flinfer.cli.Lines;
import dev.flinfer.cli.ProgressPrinter;
import dev.flinfer.cli.RequestEncoder;
import dev.flinfer.cli.SamplingArguments;
import dev.flinfer.cli.Text;
import dev.flinfer.jobs.KafkaOptions;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.WireFormat;
import dev.flinfer.schema.WireFormatException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.kafka.common.KafkaException;
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
    int bad = 0;
    long number = 0;
    try (BufferedReader lines = Lines.open(file);
        RecordSender sender = new RecordSender(kafka, topic);
        ProgressPrinter progress = new ProgressPrinter(console, "records", total)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        if (line.isBlank()) {
          continue;
        }
        try {
          sender.send(encoder.encode(line));
        } catch (WireFormatException e) {
          bad++;
          progress.clear();
          console.say("flinfer: %s:%d: %s".formatted(file, number, e.getMessage()));
        }
        progress.update(sender.acknowledged());
      }
      sender.flush();
      progress.clear();
      console.say("%s to topic %s".formatted(Text.plural(sender.acknowledged(), "record"), topic));
    } catch (KafkaException e) {
      throw RecordSender.explain(e, kafka, topic);
    }
    return bad == 0 ? 0 : 1;
  }

  private CompletionRequest ofText(String prompt) {
    CompletionRequest request = CompletionRequest.newBuilder().setPrompt(prompt).build();
    sampling.fillIn(request, Set.of());
    return request;
  }
}
