package dev.flinfer.jobs.cli;

import dev.flinfer.engine.EngineOptions;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The engine's options as they are on every command that runs one. Null where not given. */
final class EngineArguments {

  @Option(
      names = "--device",
      paramLabel = "NAME",
      description = "Where to run: auto, cpu (default: auto).")
  String device;

  @Option(
      names = "--max-num-seqs",
      paramLabel = "N",
      description = "Most sequences in one forward pass (default: 32).")
  Integer maxNumSeqs;

  @Option(
      names = "--max-num-batched-tokens",
      paramLabel = "N",
      description = "Most tokens in one forward pass (default: 512).")
  Integer maxNumBatchedTokens;

  @Option(
      names = "--max-model-len",
      paramLabel = "N",
      description = "Most tokens of prompt and completion together (default: the model's).")
  Integer maxModelLen;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the CPU backend (default: all cores).")
  Integer threads;

  /** The engine's defaults, and what was given. */
  EngineOptions forModel(Path model) {
    EngineOptions defaults = EngineOptions.of(model);
    int seqs = or(maxNumSeqs, defaults.maxNumSeqs());
    return new EngineOptions(
        defaults.model(),
        device == null ? defaults.device() : device,
        seqs,
        // Who asks for more sequences than that has asked for the tokens too.
        or(maxNumBatchedTokens, Math.max(defaults.maxNumBatchedTokens(), seqs)),
        or(maxModelLen, defaults.maxModelLen()),
        defaults.kvCacheBytes(),
        defaults.enablePrefixCaching(),
        or(threads, defaults.threads()));
  }

  private static int or(Integer given, int otherwise) {
    return given == null ? otherwise : given;
  }
}
