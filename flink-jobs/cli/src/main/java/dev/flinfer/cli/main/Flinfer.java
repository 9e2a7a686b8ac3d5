package dev.flinfer.cli.main;

import dev.flinfer.cli.Console;
import dev.flinfer.cli.Errors;
import dev.flinfer.cli.bench.BenchCommand;
import dev.flinfer.cli.engine.DevicesCommand;
import dev.flinfer.cli.engine.GenerateCommand;
import dev.flinfer.cli.engine.TokenizeCommand;
import dev.flinfer.cli.kafka.ConsumeCommand;
import dev.flinfer.cli.kafka.ProduceCommand;
import dev.flinfer.cli.local.RunCommand;
import dev.flinfer.cli.quickstart.QuickstartCommand;
import dev.flinfer.cli.soak.SoakCommand;
import dev.flinfer.jobs.NearestName;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Entry point of the command line. Exit codes: 0 success, 1 failure, 2 wrong usage, 128 and its
 * number after a signal.
 */
@Command(
    name = "flinfer",
    description = "Streaming batch inference of Phi-2 on Kafka and Flink.",
    versionProvider = Flinfer.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Start with `flinfer quickstart`. `flinfer COMMAND --help` shows a command's",
      "options and an example.",
      "",
      "Exit codes: 0 success, 1 failure, 2 wrong usage, 130 stopped by Ctrl-C,",
      "143 stopped by TERM."
    })
public final class Flinfer implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger(Flinfer.class);

  @Option(
      names = {"-v", "--verbose"},
      scope = ScopeType.INHERIT,
      description = "Print the stack trace of an error.")
  private boolean verbose;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Print this help.")
  @SuppressWarnings("UnusedVariable") // picocli acts on it
  private boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Print the version.")
  @SuppressWarnings("UnusedVariable") // picocli acts on it
  private boolean version;

  @Spec private CommandSpec spec;

  private final Console console;

  Flinfer(Console console) {
    this.console = console;
  }

  public static void main(String[] args) {
    Console console = Console.ofProcess();
    console.eraseIncubatorWarning();
    ProcessDirectory.use();
    int exitCode = run(console, args);
    console.out().flush();
    System.exit(exitCode);
  }

  /** Runs a command and returns its exit code. */
  public static int run(Console console, String... args) {
    return commandLine(console).execute(args);
  }

  private static CommandLine commandLine(Console console) {
    Flinfer flinfer = new Flinfer(console);
    CommandLine commandLine =
        new CommandLine(flinfer)
            .addSubcommand(new QuickstartCommand(console))
            .addSubcommand(new RunCommand(console))
            .addSubcommand(new ProduceCommand(console))
            .addSubcommand(new ConsumeCommand(console))
            .addSubcommand(new GenerateCommand(console))
            .addSubcommand(new TokenizeCommand(console))
            .addSubcommand(new BenchCommand(console))
            .addSubcommand(new DevicesCommand(console))
            .addSubcommand(new SoakCommand(console));
    commandLine.getSubcommands().values().forEach(Flinfer::takeTextsLiterally);
    return commandLine
        .setExpandAtFiles(false)
        .setOut(new PrintWriter(console.out(), true, StandardCharsets.UTF_8))
        .setErr(new PrintWriter(console.err(), true, StandardCharsets.UTF_8))
        .setUsageHelpAutoWidth(false)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler((e, arguments) -> flinfer.usageError(e))
        .setExecutionExceptionHandler((e, command, parsed) -> flinfer.failed(e));
  }

  /**
   * Lets the text after an option be any text: with quotes, an at sign, or the name of an option.
   */
  private static void takeTextsLiterally(CommandLine command) {
    CommandSpec spec = command.getCommandSpec();
    // Picocli would take the option after an option whose value is optional for that value.
    boolean valuesAreRequired =
        spec.options().stream()
            .noneMatch(option -> option.arity().min() == 0 && option.arity().max() > 0);
    command
        .setTrimQuotes(false)
        .setSplitQuotedStrings(true)
        .setAllowOptionsAsOptionParameters(valuesAreRequired);
    if (spec.positionalParameters().isEmpty()) {
      // So "--" has nothing to delimit. No argument can have this character.
      command.setEndOfOptionsDelimiter("\0");
    }
  }

  /** Without a command: prints the help, as a usage error. */
  @Override
  public Integer call() {
    spec.commandLine().usage(console.err());
    return CommandLine.ExitCode.USAGE;
  }

  private int usageError(ParameterException e) {
    CommandLine command = e.getCommandLine();
    // An option that is missing is often there, misspelt.
    List<String> unknown =
        e instanceof UnmatchedArgumentException || e instanceof MissingParameterException
            ? command.getUnmatchedArguments()
            : List.of();
    console.say(
        "flinfer: " + (unknown.isEmpty() ? e.getMessage() : unknown(unknown.get(0), command)));
    console.say("See '" + command.getCommandSpec().qualifiedName() + " --help'.");
    return CommandLine.ExitCode.USAGE;
  }

  private static String unknown(String argument, CommandLine command) {
    String name = argument.startsWith("-") ? argument.replaceFirst("=.*", "") : argument;
    CommandSpec spec = command.getCommandSpec();
    boolean isOption = name.startsWith("-");
    String what = isOption ? "option" : spec.subcommands().isEmpty() ? "argument" : "command";
    Stream<String> names =
        isOption
            ? Stream.of(spec.optionsMap(), spec.negatedOptionsMap())
                .flatMap(m -> m.keySet().stream())
            : spec.subcommands().keySet().stream();
    return NearestName.to(name, names)
        .map(near -> "unknown %s %s; did you mean %s?".formatted(what, name, near))
        .orElse("unknown %s %s".formatted(what, name));
  }

  private int failed(Exception e) {
    console.out().flush();
    console.say("flinfer: " + Errors.message(e));
    if (verbose) {
      e.printStackTrace(console.err());
    } else if (!Errors.isForUsers(e)) {
      LOG.error("failed", e);
      console.say("flinfer: details are in " + console.log());
    }
    return Errors.isUsage(e) ? CommandLine.ExitCode.USAGE : CommandLine.ExitCode.SOFTWARE;
  }

  static final class Version implements IVersionProvider {
    private static final String POM = "/META-INF/maven/dev.flinfer/flinfer-cli/pom.properties";

    @Override
    public String[] getVersion() throws IOException {
      Properties pom = new Properties();
      try (InputStream in = Flinfer.class.getResourceAsStream(POM)) {
        if (in != null) {
          pom.load(in);
        }
      }
      return new String[] {"flinfer " + pom.getProperty("version", "(not packaged)")};
    }
  }
}
