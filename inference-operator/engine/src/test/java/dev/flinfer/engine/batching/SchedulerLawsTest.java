package dev.flinfer.engine.batching;

import static dev.flinfer.engine.batching.TestSequences.roots;
import static dev.flinfer.engine.batching.TestSequences.sequence;
import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.blocks.BlockPool;
import dev.flinfer.engine.choices.Choices;
import dev.flinfer.engine.choices.ChoicesMethod;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.StepLimits;
import dev.flinfer.engine.sampling.TokenLogprobs;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Properties that hold for all requests, limits and failures. */
final class SchedulerLawsTest {
  private static final int MAX_LEN = 100;

  /**
   * Random workloads with priorities, labels, outputs, cancelled or overdue requests, and failing
   * steps: every sequence ends once, blocks never leak, no block is written for two sequences, and
   * the keys and values of a failed step are not read.
   */
  @Property(tries = 400)
  void everySequenceEndsAndNoBlockLeaks(
      @ForAll long seed,
      @ForAll @IntRange(min = 7, max = 30) int blocks,
      @ForAll @IntRange(min = 1, max = 6) int maxNumSeqs,
      @ForAll @IntRange(min = 6, max = 40) int budget,
      @ForAll boolean prefixCaching) {
    Random random = new Random(seed);
    BlockPool pool = new BlockPool(blocks);
    int maxNumLogits = maxNumSeqs + random.nextInt(5);
    Scheduler scheduler =
        new Scheduler(new StepLimits(maxNumSeqs, budget, maxNumLogits), prefixCaching, pool);
    Map<Sequence, Integer> left = new LinkedHashMap<>();
    Map<Sequence, Set<List<Integer>>> scored = new HashMap<>(); // tokens before needed logits
    Map<Integer, List<Integer>> contents = new HashMap<>(); // block -> tokens up to its end
    int toCome = 15;
    for (int steps = 0; toCome > 0 || !left.isEmpty(); steps++) {
      assertThat(steps).as("steps").isLessThan(20_000);
      while (toCome > 0 && random.nextInt(3) == 0) {
        for (Sequence sequence : randomRequest(random)) {
          left.put(sequence, 1 + random.nextInt(MAX_LEN - sequence.promptTokens()));
          scored.put(sequence, new HashSet<>());
          scheduler.add(sequence);
        }
        toCome--;
      }
      List<Scheduled> step = scheduler.schedule();
      assertThat(step.isEmpty()).isEqualTo(left.isEmpty());
      assertThat(step.stream().mapToInt(Scheduled::tokens).sum()).isLessThanOrEqualTo(budget);
      assertThat(step.stream().mapToInt(Scheduled::logits).sum()).isLessThanOrEqualTo(maxNumLogits);
      assertThat(scheduler.running()).hasSizeLessThanOrEqualTo(maxNumSeqs);
      assertThat(List.copyOf(scheduler.running())).isSortedAccordingTo(Waiting.RANK);
      if (!step.isEmpty() && random.nextInt(15) == 0) {
        fail(step, contents);
        scheduler.suspect(roots(step), random.nextBoolean());
        assertThat(pool.used()).isZero();
        assertThat(roots(scheduler.schedule())).hasSize(1);
        continue;
      }
      compute(step, contents);
      scheduler.computed(step);
      for (Scheduled scheduled : step) {
        Sequence sequence = scheduled.sequence().root();
        if (sequence.choices() != null) {
          scored.get(sequence).addAll(contexts(scheduled));
        } else if (scheduled.logits() > 0) {
          sequence.append(random.nextInt(2), TokenLogprobs.NONE);
          scheduler.cleared(sequence);
          left.merge(sequence, -1, Integer::sum);
        }
      }
      for (Sequence sequence : List.copyOf(left.keySet())) {
        boolean chosen = sequence.allLabelsScored();
        if (chosen) {
          assertThat(scored.get(sequence)).containsAll(needed(sequence));
        }
        if (chosen || left.get(sequence) == 0) {
          left.remove(sequence);
          scheduler.remove(sequence);
        }
      }
      if (!left.isEmpty() && random.nextInt(20) == 0) {
        Sequence cancelled = left.keySet().iterator().next();
        left.remove(cancelled);
        scheduler.remove(cancelled);
      }
    }
    assertThat(pool.used()).isZero();
    assertThat(scheduler.running()).isEmpty();
    assertThat(scheduler.waiting()).isEmpty();
  }

  /** One sequence, or several outputs. */
  private static List<Sequence> randomRequest(Random random) {
    List<Sequence> sequences = new ArrayList<>(List.of(randomSequence(random)));
    if (sequences.get(0).choices() == null && random.nextInt(3) == 0) {
      Siblings siblings = new Siblings();
      sequences.get(0).place().outputOf(siblings, 0);
      for (int i = 1; i < 2 + random.nextInt(5); i++) {
        sequences.add(sequence(sequences.get(0).promptTokens(), sequences.get(0).tokens().get(0)));
        sequences.get(i).request().setPriority(sequences.get(0).request().getPriority());
        sequences.get(i).place().outputOf(siblings, i);
      }
    }
    return sequences;
  }

  private static Sequence randomSequence(Random random) {
    boolean choice = random.nextInt(3) == 0;
    int longest = choice ? 1 + random.nextInt(20) : 1;
    int prompt = 1 + random.nextInt(MAX_LEN - longest);
    int token = random.nextInt(2);
    int priority = random.nextInt(3);
    Sequence sequence = sequence(prompt, token, choice ? randomChoices(random, longest) : null);
    sequence.request().setPriority(priority);
    return sequence;
  }

  private static Choices randomChoices(Random random, int longest) {
    Set<List<Integer>> labels = new LinkedHashSet<>();
    for (int i = 0; i < 1 + random.nextInt(6); i++) {
      labels.add(random.ints(1 + random.nextInt(longest), 0, 2).boxed().toList());
    }
    int[][] tokens =
        labels.stream()
            .map(label -> label.stream().mapToInt(t -> t).toArray())
            .toArray(int[][]::new);
    ChoicesMethod[] methods = ChoicesMethod.values();
    return new Choices(
        labels.stream().map(List::toString).toList(),
        tokens,
        methods[random.nextInt(methods.length)]);
  }

  /** The tokens before each row of logits of a step. */
  private static List<List<Integer>> contexts(Scheduled scheduled) {
    List<List<Integer>> contexts = new ArrayList<>();
    int end = scheduled.from() + scheduled.tokens();
    for (int position = end - scheduled.logits(); position < end; position++) {
      contexts.add(tokens(scheduled.sequence(), position + 1));
    }
    return contexts;
  }

  /**
   * The tokens before each row of logits that is needed: the prompt, and after it each start of a
   * path.
   */
  private static List<List<Integer>> needed(Sequence sequence) {
    List<List<Integer>> needed = new ArrayList<>();
    needed.add(tokens(sequence, sequence.promptTokens()));
    for (Choices.Path path : sequence.choices().paths()) {
      List<Integer> context =
          path.conditional() ? tokens(sequence, sequence.promptTokens()) : new ArrayList<>();
      for (int token : path.tokens()) {
        context.add(token);
        needed.add(List.copyOf(context));
      }
    }
    return needed;
  }

  private static List<Integer> tokens(Sequence sequence, int count) {
    List<Integer> tokens = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      tokens.add(sequence.tokens().get(i));
    }
    return tokens;
  }

  /** Simulates a forward pass that throws: the blocks that it writes are useless. */
  private static void fail(List<Scheduled> step, Map<Integer, List<Integer>> contents) {
    for (Scheduled scheduled : step) {
      Sequence sequence = scheduled.sequence();
      int first = sequence.blocks().computed() / ForwardPass.BLOCK_SIZE;
      for (int b = first; b < sequence.blocks().count(); b++) {
        contents.put(sequence.blocks().block(b), List.of());
      }
    }
  }

  /** Simulates the forward pass: notes what is written where, and checks what is read. */
  private static void compute(List<Scheduled> step, Map<Integer, List<Integer>> contents) {
    Set<Integer> written = new HashSet<>();
    for (Scheduled scheduled : step) {
      Sequence sequence = scheduled.sequence();
      int end = sequence.blocks().computed() + scheduled.tokens();
      assertThat(end).isLessThanOrEqualTo(sequence.blocks().capacity());
      for (int b = 0; b * ForwardPass.BLOCK_SIZE < end; b++) {
        int blockEnd = Math.min(end, (b + 1) * ForwardPass.BLOCK_SIZE);
        List<Integer> before = new ArrayList<>();
        for (int i = 0; i < Math.min(blockEnd, sequence.blocks().computed()); i++) {
          before.add(sequence.tokens().get(i));
        }
        if (b * ForwardPass.BLOCK_SIZE < sequence.blocks().computed()) {
          assertThat(contents.get(sequence.blocks().block(b)).subList(0, before.size()))
              .as("the sequence's tokens in the cache")
              .isEqualTo(before);
        }
        if (blockEnd > sequence.blocks().computed()) {
          assertThat(written.add(sequence.blocks().block(b))).as("one writer per block").isTrue();
          for (int i = before.size(); i < blockEnd; i++) {
            before.add(sequence.tokens().get(i));
          }
          contents.put(sequence.blocks().block(b), before);
        }
      }
    }
  }
}
