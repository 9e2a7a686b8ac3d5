package dev.flinfer.cli.engine;

import dev.flinfer.cli.Console;
import dev.flinfer.cli.EngineArguments;
import dev.flinfer.cli.Lines;
import dev.flinfer.cli.ProgressPrinter;
import dev.flinfer.cli.RequestLine;
import dev.flinfer.cli.SamplingArguments;
import dev.flinfer.cli.UserError;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.WireFormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "generate",
    description = "Complete prompts on the engine directly, without Kafka and Flink.",
    footer = {
      "",
      "Each line of --file is a JSON object; prompt or prompt_token_ids is required:",
      "  {\"id\": \"a\", \"prompt\": \"Once\", \"max_tokens\": 16, \"temperature\": 0.8, \"seed\": 7}",
      "The sampling options apply to lines that do not set them. All lines are batched",
      "together; completions are printed in the order of the lines.",
      "",
      "Example:",
      "  flinfer generate --model /path/to/phi-2 --prompt 'The capital of France is' \\",
      "    --max-tokens 8 --json"
    })
public final class GenerateCommand implements Callable<Integer> {
  private static final String SINGLE_ID = "prompt";

  private final Console console;

  @Mixin private ModelArgument model;

  @ArgGroup(multiplicity = "1")
  private Source source;

  @Mixin private SamplingArguments sampling;
  @Mixin private EngineArguments engineArguments;

  @Option(
      names = "--json",
      description =
          "Print one JSON object per request: id, prompt_tokens, tokens, text, finish_reason,"
              + " logprobs; with --logprobs also top_logprobs, with n above 1 outputs, and with"
              + " choices label, label_probabilities, label_margin, label_entropy. Without --json,"
              + " the text for a single prompt is printed as it is generated.")
  private boolean json;

  private int badLines;

  private static final class Source {
    @Option(names = "--prompt", paramLabel = "TEXT", description = "The prompt.")
    private String prompt;

    @Option(
        names = "--tokens",
        paramLabel = "ID",
        split = ",",
        description = "The prompt as token ids: 1,2,3.")
    private List<Integer> tokens;

    @Option(
        names = "--file",
        paramLabel = "FILE",
        description = "One request per line, as JSON; - is standard input.")
    private Path file;
  }

  public GenerateCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    Path path = model.path();
    long total = source.file == null ? 1 : Lines.count(source.file);
    Tokenizer tokenizer = Tokenizer.load(path);
    try (LlmEngine engine = open(path)) {
      if (engineArguments.device() != null) {
        console.say("flinfer: device " + engine.model().device());
      }
      if (source.file != null) {
        generateFile(engine, tokenizer, total);
      } else if (json || single().getN() > 1) {
        Generator generator = new Generator(engine, tokenizer, this::print);
        generator.submit(
            single(),
            invalid -> {
              throw invalid;
            });
        generator.next();
      } else {
        new StreamedGeneration(engine).run(single(), console.out());
      }
    }
    console.out().flush();
    return badLines == 0 ? 0 : 1;
  }

  private LlmEngine open(Path path) {
    EngineOptions options = engineArguments.forModel(path);
    try (Console.Status ignored = console.status("flinfer: loading " + path)) {
      return LlmEngine.open(options);
    }
  }

  private CompletionRequest single() {
    CompletionRequest request =
        CompletionRequest.newBuilder()
            .setId(SINGLE_ID)
            .setPrompt(source.prompt)
            .setPromptTokenIds(source.tokens)
            .build();
    return complete(request, Set.of());
  }

  private CompletionRequest complete(CompletionRequest request, Set<String> present) {
    sampling.fillIn(request, present);
    if (json && request.getLogprobs() == null) {
      request.setLogprobs(0);
    }
    return request;
  }

  private void generateFile(LlmEngine engine, Tokenizer tokenizer, long total) throws IOException {
    Generator generator = new Generator(engine, tokenizer, this::print);
    try (Lines lines = Lines.open(source.file);
        ProgressPrinter progress = new ProgressPrinter(console, "requests", total)) {
      for (Lines.Line line = lines.nextNonBlank(); line != null; line = lines.nextNonBlank()) {
        submit(generator, line, progress);
        progress.update(generator.answered());
      }
      while (generator.next()) {
        progress.update(generator.answered());
      }
    }
  }

  /** Submits a line; one that is not a valid request is reported and skipped. */
  private void submit(Generator generator, Lines.Line line, ProgressPrinter progress) {
    try {
      RequestLine parsed = RequestLine.parse(line.text());
      CompletionRequest request = complete(parsed.request(), parsed.present());
      if (request.getId() == null) {
        request.setId("line-" + line.number());
      }
      generator.submit(request, invalid -> report(invalid, line, progress));
    } catch (UserError | WireFormatException | InvalidRequestException e) {
      report(e, line, progress);
    }
  }

  private void report(RuntimeException why, Lines.Line line, ProgressPrinter progress) {
    badLines++;
    progress.clear();
    console.say(line.problem(why));
  }

  private void print(Answer answer) {
    console.out().println(json ? answer.toJson() : answer.toText());
  }
}
