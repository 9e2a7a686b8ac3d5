package dev.flinfer.cli.engine;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.flinfer.cli.Console;
import dev.flinfer.cli.Lines;
import dev.flinfer.cli.UserError;
import dev.flinfer.engine.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "tokenize",
    description = "Print the token ids of texts.",
    footer = {
      "",
      "Example:",
      "  flinfer tokenize --model /path/to/phi-2 --text 'Hello, world' --json",
      "  [15496, 11, 995]"
    })
public final class TokenizeCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private ModelArgument model;

  @ArgGroup(multiplicity = "1")
  private Source source;

  @Option(
      names = "--json",
      description =
          "Print a JSON array of ids for each text instead of a line with id and text for each"
              + " token.")
  private boolean json;

  private static final class Source {
    @Option(names = "--text", paramLabel = "TEXT", description = "The text.")
    private String text;

    @Option(
        names = "--file",
        paramLabel = "FILE",
        description = "One text per line, in UTF-8; - is standard input.")
    private Path file;
  }

  public TokenizeCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    Tokenizer tokenizer = Tokenizer.load(model.path());
    if (source.text != null) {
      print(tokenizer, source.text);
      return 0;
    }
    int bad = 0;
    try (Lines lines = Lines.open(source.file)) {
      for (Lines.Line line = lines.next(); line != null; line = lines.next()) {
        try {
          print(tokenizer, line.text());
        } catch (UserError e) {
          bad++;
          console.say(line.problem(e));
        }
      }
    }
    return bad == 0 ? 0 : 1;
  }

  private void print(Tokenizer tokenizer, String text) {
    int[] ids = tokenizer.encode(text);
    if (json) {
      console.out().println(Arrays.toString(ids));
      return;
    }
    for (int id : ids) {
      String piece = TextNode.valueOf(tokenizer.decode(new int[] {id})).toString();
      console.out().printf("%6d  %s%n", id, piece);
    }
  }
}
