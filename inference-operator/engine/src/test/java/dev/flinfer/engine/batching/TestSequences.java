package dev.flinfer.engine.batching;

import dev.flinfer.engine.Requests;
import dev.flinfer.engine.blocks.BlockPool;
import dev.flinfer.engine.choices.Choices;
import dev.flinfer.engine.choices.ChoicesMethod;
import dev.flinfer.engine.device.StepLimits;
import dev.flinfer.engine.sampling.CompletionText;
import dev.flinfer.engine.sampling.SamplingParams;
import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.schema.CompletionRequest;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Sequences and steps for tests of scheduling. */
final class TestSequences {
  private TestSequences() {}

  /** Schedules and computes one step; returns the number of tokens by sequence. */
  static Map<Sequence, Integer> step(Scheduler scheduler) {
    List<Scheduled> step = scheduler.schedule();
    scheduler.computed(step);
    Map<Sequence, Integer> tokens = new HashMap<>();
    step.forEach(s -> tokens.put(s.sequence(), s.tokens()));
    return tokens;
  }

  static Scheduler scheduler(int maxNumSeqs, int budget, boolean prefixCaching, BlockPool pool) {
    return new Scheduler(new StepLimits(maxNumSeqs, budget, maxNumSeqs), prefixCaching, pool);
  }

  /** A sequence that chooses between labels, given as token ids. */
  static Sequence choosing(int promptLength, String... labels) {
    int[][] tokens =
        Arrays.stream(labels)
            .map(label -> Arrays.stream(label.split(" ")).mapToInt(Integer::parseInt).toArray())
            .toArray(int[][]::new);
    Choices choices = new Choices(List.of(labels), tokens, ChoicesMethod.TOKEN_LENGTH_NORMALIZED);
    return sequence(promptLength, 1, choices);
  }

  static Sequence prioritized(int promptLength, int priority) {
    Sequence sequence = sequence(promptLength, 1);
    sequence.request().setPriority(priority);
    return sequence;
  }

  static Sequence sequence(int promptLength, int token) {
    return sequence(promptLength, token, null);
  }

  static Sequence sequence(int promptLength, int token, Choices choices) {
    int[] prompt = new int[promptLength];
    Arrays.fill(prompt, token);
    CompletionRequest request = Requests.greedy("id", "p", 1).build();
    SamplingParams params = SamplingParams.of(request);
    return new Sequence(
        new CheckedRequest(request, params, prompt, choices, null),
        new CompletionText(new Silent(), params.stops()),
        null,
        0,
        s -> {});
  }

  /** The sequences of a step; the root for a branch. */
  static Set<Sequence> roots(List<Scheduled> step) {
    Set<Sequence> roots = new LinkedHashSet<>();
    step.forEach(scheduled -> roots.add(scheduled.sequence().root()));
    return roots;
  }

  /** Decodes every token to nothing. */
  static final class Silent implements Tokenizer.IncrementalDecoder {
    @Override
    public String add(int token) {
      return "";
    }

    @Override
    public String finish() {
      return "";
    }
  }
}
