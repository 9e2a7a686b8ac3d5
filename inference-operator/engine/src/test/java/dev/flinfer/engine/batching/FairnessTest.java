package dev.flinfer.engine.batching;

import static dev.flinfer.engine.batching.TestSequences.sequence;
import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.blocks.BlockPool;
import dev.flinfer.engine.choices.Choices;
import dev.flinfer.engine.choices.ChoicesMethod;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.StepLimits;
import dev.flinfer.engine.sampling.TokenLogprobs;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** How many steps a short request waits for one other request, whatever that is. */
final class FairnessTest {
  private static final int MAX_LEN = 96;
  private static final int OUTPUTS = 128;

  /** Submits sequences to a scheduler, computes steps, and ends sequences after their tokens. */
  private static final class Steps {
    final Scheduler scheduler;
    private final Map<Sequence, Integer> left = new LinkedHashMap<>();
    private final Map<Sequence, List<Sequence>> followers = new LinkedHashMap<>();

    Steps(StepLimits limits, boolean prefixCaching, int blocks) {
      scheduler = new Scheduler(limits, prefixCaching, new BlockPool(blocks));
    }

    void add(Sequence sequence, int tokens) {
      left.put(sequence, tokens);
      scheduler.add(sequence);
    }

    /** As {@link SequenceGroup} does, the others start when the first has a token. */
    void addOutputs(int prompt, int tokens, int priority) {
      Siblings siblings = new Siblings();
      List<Sequence> outputs =
          IntStream.range(0, OUTPUTS).mapToObj(i -> sequence(prompt, 1)).toList();
      for (int i = 0; i < OUTPUTS; i++) {
        outputs.get(i).place().outputOf(siblings, i);
        outputs.get(i).request().setPriority(priority);
      }
      add(outputs.get(0), tokens);
      followers.put(outputs.get(0), outputs.subList(1, OUTPUTS));
    }

    void compute() {
      List<Scheduled> step = scheduler.schedule();
      scheduler.computed(step);
      for (Scheduled scheduled : step) {
        Sequence sequence = scheduled.sequence().root();
        if (sequence.choices() != null) {
          end(sequence, sequence.allLabelsScored());
        } else if (scheduled.logits() > 0) {
          sequence.append(1, TokenLogprobs.NONE);
          int tokens = sequence.generated();
          List<Sequence> others = followers.remove(sequence);
          if (others != null) {
            others.forEach(other -> add(other, left.get(sequence)));
          }
          end(sequence, tokens >= left.get(sequence) || sequence.length() >= MAX_LEN);
        }
      }
    }

    private void end(Sequence sequence, boolean ended) {
      if (ended && left.remove(sequence) != null) {
        scheduler.remove(sequence);
      }
    }

    /** The number of steps from now on until a sequence ends, which is added. */
    int stepsUntilEnded(Sequence sequence) {
      add(sequence, 1);
      int steps = 0;
      while (left.containsKey(sequence)) {
        compute();
        assertThat(++steps).as("steps").isLessThan(100_000);
      }
      return steps;
    }
  }

  /** The bound of docs/engine.md, without the step that is being computed on arrival. */
  private static int bound(StepLimits limits, int prompt) {
    int forPrompts = limits.maxNumBatchedTokens() - limits.maxNumSeqs() + 1;
    return 1 + ceil(MAX_LEN, forPrompts) + ceil(2 * prompt, forPrompts);
  }

  private static int ceil(int tokens, int perStep) {
    return (tokens + perStep - 1) / perStep;
  }

  @Property(tries = 1000)
  void aShortRequestWaitsForABoundedNumberOfStepsForAnyOtherRequest(
      @ForAll long seed,
      @ForAll @IntRange(min = 2, max = 6) int maxNumSeqs,
      @ForAll @IntRange(max = 40) int more,
      @ForAll @IntRange(max = 3) int moreLogits,
      @ForAll boolean prefixCaching) {
    Random random = new Random(seed);
    StepLimits limits =
        new StepLimits(maxNumSeqs, maxNumSeqs + more, maxNumSeqs + Math.min(more, moreLogits));
    int blocks = 2 * ForwardPass.blocksFor(MAX_LEN) + 1 + random.nextInt(10);
    Steps steps = new Steps(limits, prefixCaching, blocks);
    int priority = random.nextInt(3) - 1;
    int prompt = 1 + random.nextInt(MAX_LEN - 1);
    if (random.nextBoolean()) {
      steps.addOutputs(prompt, 1 + random.nextInt(random.nextBoolean() ? 2 : MAX_LEN), priority);
    } else {
      Sequence labels = sequence(prompt, 1, labels(random, 1 + random.nextInt(MAX_LEN - prompt)));
      labels.request().setPriority(priority);
      steps.add(labels, 1);
    }
    for (int i = random.nextInt(300); i > 0; i--) {
      steps.compute();
    }
    int shortPrompt = 1 + random.nextInt(20);

    assertThat(steps.stepsUntilEnded(sequence(shortPrompt, 2)))
        .isLessThanOrEqualTo(bound(limits, shortPrompt));
  }

  private static Choices labels(Random random, int longest) {
    Set<List<Integer>> labels = new LinkedHashSet<>();
    for (int i = 0; i < 100; i++) {
      labels.add(random.ints(1 + random.nextInt(longest), 0, 50).boxed().toList());
    }
    ChoicesMethod[] methods = ChoicesMethod.values();
    return choices(List.copyOf(labels), methods[random.nextInt(methods.length)]);
  }

  private static Choices choices(List<List<Integer>> labels, ChoicesMethod method) {
    int[][] tokens =
        labels.stream()
            .map(label -> label.stream().mapToInt(Integer::intValue).toArray())
            .toArray(int[][]::new);
    return new Choices(labels.stream().map(List::toString).toList(), tokens, method);
  }

  /** Without the outputs' fair share the request would wait for 31 rounds of 60 steps. */
  @Test
  void outputsThatTakeAllPlacesLeaveOneToAnotherRequest() {
    Steps steps = new Steps(new StepLimits(4, 32, 4), true, 100);
    steps.addOutputs(30, 60, -7);
    for (int i = 0; i < 10; i++) {
      steps.compute();
    }
    assertThat(steps.scheduler.running()).hasSize(4);

    assertThat(steps.stepsUntilEnded(sequence(5, 2))).isEqualTo(1);
    steps.compute();
    assertThat(steps.scheduler.running()).hasSize(4);
  }

  @Test
  void twoRequestsWithManyOutputsRunEquallyMany() {
    Steps steps = new Steps(new StepLimits(6, 60, 6), true, 100);
    steps.addOutputs(5, 50, 0);
    steps.compute();
    steps.compute();
    steps.addOutputs(5, 50, 0);
    for (int i = 0; i < 3; i++) {
      steps.compute();
    }

    Map<Siblings, Integer> running = new LinkedHashMap<>();
    steps.scheduler.running().forEach(s -> running.merge(s.place().siblings(), 1, Integer::sum));
    assertThat(running.values()).containsExactly(3, 3);
  }

  @Test
  void aRequestWithFewLabelsDoesNotWaitForOneWithMany() {
    Steps steps = new Steps(new StepLimits(4, 64, 16), true, 200);
    List<List<Integer>> many = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      many.add(List.of(i, 1, 2, 3, 4, 5, 6, 7));
    }
    steps.add(sequence(40, 1, choices(many, ChoicesMethod.TOKEN_LENGTH_NORMALIZED)), 1);
    for (int i = 0; i < 5; i++) {
      steps.compute();
    }
    Choices few = choices(List.of(List.of(1, 2), List.of(1, 3)), ChoicesMethod.values()[0]);

    // Its prompt and a label of one token in the first step, in which the other one computes, too.
    assertThat(steps.stepsUntilEnded(sequence(10, 2, few))).isEqualTo(1);
    assertThat(steps.scheduler.running()).hasSize(1);
  }

  /** The request is not starved either: one of its outputs runs while others wait. */
  @Test
  void oneOutputRunsInAStreamOfOtherRequests() {
    Steps steps = new Steps(new StepLimits(2, 32, 2), true, 100);
    steps.addOutputs(5, 3, 0);
    int computed = 0;
    while (steps.left.keySet().stream().anyMatch(FairnessTest::isOutput)) {
      while (steps.left.size() < 2 * OUTPUTS) {
        steps.add(sequence(5, 2), 1);
      }
      steps.compute();
      assertThat(++computed).as("steps").isLessThan(5 * OUTPUTS);
    }
  }

  private static boolean isOutput(Sequence sequence) {
    return sequence.tokens().get(0) == 1;
  }
}
