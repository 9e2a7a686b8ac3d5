package dev.flinfer.engine.batching;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.Requests;
import dev.flinfer.engine.choices.Choices;
import dev.flinfer.engine.choices.ChoicesMethod;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.sampling.CompletionText;
import dev.flinfer.engine.sampling.SamplingParams;
import dev.flinfer.engine.sampling.TokenLogprobs;
import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.schema.CompletionRequest;
import java.util.ArrayList;
import java.util.Arrays;
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
import org.junit.jupiter.api.Test;

final class SchedulerTest {
  private static final int MAX_LEN = 100;

  @Test
  void decodingComesBeforePrefillAndPrefillIsChunked() {
    Scheduler scheduler = scheduler(4, 10, false, new BlockPool(50));
    Sequence first = sequence(8, 1);
    Sequence second = sequence(20, 2);
    scheduler.add(first);
    scheduler.add(second);

    assertThat(step(scheduler)).isEqualTo(Map.of(first, 8, second, 2));
    first.append(1, TokenLogprobs.NONE);
    assertThat(step(scheduler)).isEqualTo(Map.of(first, 1, second, 9));
    first.append(1, TokenLogprobs.NONE);
    assertThat(step(scheduler)).isEqualTo(Map.of(first, 1, second, 9));
  }

  @Test
  void noMoreThanMaxNumSeqsRun() {
    Scheduler scheduler = scheduler(2, 100, false, new BlockPool(50));
    List<Sequence> all = List.of(sequence(3, 1), sequence(3, 2), sequence(3, 3));
    all.forEach(scheduler::add);

    assertThat(step(scheduler).keySet()).containsExactlyInAnyOrder(all.get(0), all.get(1));
    scheduler.remove(all.get(0));
    all.get(1).append(1, TokenLogprobs.NONE);
    assertThat(step(scheduler)).isEqualTo(Map.of(all.get(1), 1, all.get(2), 3));
  }

  @Test
  void theYoungestGivesItsBlocksBackAndIsComputedAgain() {
    BlockPool pool = new BlockPool(3);
    Scheduler scheduler = scheduler(4, 100, false, pool);
    Sequence old = sequence(30, 1);
    Sequence young = sequence(15, 2);
    scheduler.add(old);
    scheduler.add(young);
    step(scheduler);
    for (int i = 0; i < 2; i++) {
      old.append(1, TokenLogprobs.NONE);
      young.append(1, TokenLogprobs.NONE);
      step(scheduler);
    }
    // old has 32 tokens and fills its 2 blocks, young has 17 and needs a second: none is left.
    assertThat(young.blocks().count()).isZero();
    old.append(1, TokenLogprobs.NONE);
    assertThat(step(scheduler)).isEqualTo(Map.of(old, 1));
    assertThat(scheduler.preemptions()).isEqualTo(1);

    scheduler.remove(old);
    assertThat(step(scheduler)).isEqualTo(Map.of(young, 17));
  }

  @Test
  void aPromptThatSharesAPrefixIsPrefilledFromTheFirstBlockThatDiffers() {
    Scheduler scheduler = scheduler(4, 100, true, new BlockPool(20));
    Sequence first = sequence(40, 7);
    scheduler.add(first);
    step(scheduler);
    Sequence same = sequence(40, 7);
    scheduler.add(same);
    first.append(1, TokenLogprobs.NONE);

    assertThat(step(scheduler)).isEqualTo(Map.of(first, 1, same, 8));
    assertThat(same.cachedTokens()).isEqualTo(32);
    assertThat(scheduler.prefixCacheHits()).isEqualTo(2);
    assertThat(same.blocks().block(0)).isEqualTo(first.blocks().block(0));
    assertThat(same.blocks().block(2)).isNotEqualTo(first.blocks().block(2));
  }

  @Test
  void aPromptOfWholeBlocksStillComputesItsLastToken() {
    Scheduler scheduler = scheduler(4, 100, true, new BlockPool(20));
    Sequence first = sequence(32, 7);
    scheduler.add(first);
    step(scheduler);
    scheduler.remove(first);
    Sequence same = sequence(32, 7);
    scheduler.add(same);

    assertThat(step(scheduler)).isEqualTo(Map.of(same, 16));
  }

  @Test
  void afterAFailedStepEachIsComputedAloneUntilItGotOn() {
    BlockPool pool = new BlockPool(20);
    Scheduler scheduler = scheduler(4, 100, true, pool);
    Sequence first = sequence(20, 1);
    Sequence second = sequence(20, 2);
    Sequence later = sequence(20, 3);
    List.of(first, second).forEach(scheduler::add);
    List<Scheduled> failed = scheduler.schedule();
    scheduler.add(later);

    scheduler.suspect(roots(failed), false);

    assertThat(step(scheduler)).isEqualTo(Map.of(first, 20));
    first.append(1, TokenLogprobs.NONE);
    scheduler.cleared(first);
    assertThat(step(scheduler)).isEqualTo(Map.of(second, 20));
    second.append(1, TokenLogprobs.NONE);
    scheduler.cleared(second);
    // The second keeps its blocks, the first finds its full one again.
    assertThat(step(scheduler)).isEqualTo(Map.of(second, 1, first, 5, later, 20));
  }

  @Test
  void whoGotOnBeforeIsTriedLastAndNotOnceAnotherIsToBlame() {
    Scheduler scheduler = scheduler(4, 100, true, new BlockPool(20));
    Sequence running = sequence(20, 1);
    scheduler.add(running);
    step(scheduler);
    running.append(1, TokenLogprobs.NONE);
    Sequence innocent = sequence(20, 2);
    Sequence offender = sequence(20, 3);
    List.of(innocent, offender).forEach(scheduler::add);

    scheduler.suspect(roots(scheduler.schedule()), false);

    assertThat(step(scheduler)).isEqualTo(Map.of(innocent, 20));
    innocent.append(1, TokenLogprobs.NONE);
    scheduler.cleared(innocent);
    assertThat(roots(scheduler.schedule())).containsExactly(offender);
    scheduler.suspect(List.of(offender), true);
    scheduler.blame(offender);
    assertThat(roots(scheduler.schedule())).containsExactlyInAnyOrder(running, innocent);
  }

  @Test
  void whatAnOffenderFilledIsNotFoundAgain() {
    Scheduler scheduler = scheduler(4, 100, true, new BlockPool(20));
    Sequence offender = sequence(40, 1);
    scheduler.add(offender);
    step(scheduler);
    scheduler.suspect(List.of(offender), true);
    assertThat(step(scheduler)).isEqualTo(Map.of(offender, 40));
  }

  @Test
  void aLowerPriorityValueGoesFirstAndKeepsItsBlocks() {
    Scheduler scheduler = scheduler(2, 100, false, new BlockPool(4));
    Sequence late = prioritized(20, 1);
    Sequence later = prioritized(20, 1);
    Sequence urgent = prioritized(20, -1);
    List.of(late, later, urgent).forEach(scheduler::add);

    assertThat(step(scheduler)).isEqualTo(Map.of(urgent, 20, late, 20));
    for (int i = 0; i < 12; i++) {
      urgent.append(1, TokenLogprobs.NONE);
      late.append(1, TokenLogprobs.NONE);
      step(scheduler);
    }
    urgent.append(1, TokenLogprobs.NONE);
    late.append(1, TokenLogprobs.NONE);
    // Both need a third block and there is none.
    assertThat(step(scheduler)).isEqualTo(Map.of(urgent, 1));
    assertThat(scheduler.waiting()).containsExactly(late, later);
  }

  @Test
  void labelsAreComputedInOneStepWithTheirPromptAndShareItsWholeBlocks() {
    BlockPool pool = new BlockPool(10);
    Sequence sequence = choosing(40, "5 6 7", "5 8", "9");
    Scheduler scheduler = new Scheduler(new StepLimits(1, 100, 8), false, pool);
    scheduler.add(sequence);

    List<Scheduled> step = scheduler.schedule();

    assertThat(step).hasSize(2);
    assertScheduled(step.get(0), sequence, 0, 40, 1);
    Sequence branch = step.get(1).sequence();
    // The prompt's last 8 tokens again, then 5 and 6; logits behind these two.
    assertScheduled(step.get(1), branch, 32, 10, 2);
    assertThat(branch.blocks().blocks())
        .startsWith(sequence.blocks().block(0), sequence.blocks().block(1));
    assertThat(branch.blocks().block(2)).isNotEqualTo(sequence.blocks().block(2));
    scheduler.computed(step);
    assertThat(sequence.chosen()).isTrue();
    scheduler.remove(sequence);
    assertThat(pool.used()).isZero();
  }

  @Test
  void withOneSequencesBlocksLabelsAreComputedOneAfterTheOther() {
    BlockPool pool = new BlockPool(3);
    Sequence sequence = choosing(40, "5 6", "7 8", "9 9");
    Scheduler scheduler = new Scheduler(new StepLimits(1, 100, 8), false, pool);
    scheduler.add(sequence);

    assertThat(step(scheduler)).isEqualTo(Map.of(sequence, 40));
    for (int i = 0; i < 3; i++) {
      assertThat(sequence.chosen()).isFalse();
      assertThat(step(scheduler).values()).containsExactly(9);
    }
    assertThat(sequence.chosen()).isTrue();
  }

  /**
   * Random workloads with priorities, labels, requests that are cancelled or overdue, and steps
   * that fail: every sequence ends once, blocks never leak, no block serves two masters, and what a
   * failed step wrote is not read.
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
    Map<Sequence, Set<List<Integer>>> scored = new HashMap<>(); // tokens before wanted logits
    Map<Integer, List<Integer>> contents = new HashMap<>(); // block -> tokens up to its end
    int toCome = 15;
    for (int steps = 0; toCome > 0 || !left.isEmpty(); steps++) {
      assertThat(steps).as("steps").isLessThan(20_000);
      while (toCome > 0 && random.nextInt(3) == 0) {
        Sequence sequence = randomSequence(random);
        left.put(sequence, 1 + random.nextInt(MAX_LEN - sequence.promptTokens()));
        scored.put(sequence, new HashSet<>());
        scheduler.add(sequence);
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
        boolean chosen = sequence.chosen();
        if (chosen) {
          assertThat(scored.get(sequence)).containsAll(wanted(sequence));
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

  /** The tokens before each of the logits that are wanted. */
  private static List<List<Integer>> contexts(Scheduled scheduled) {
    List<List<Integer>> contexts = new ArrayList<>();
    int end = scheduled.from() + scheduled.tokens();
    for (int position = end - scheduled.logits(); position < end; position++) {
      contexts.add(tokens(scheduled.sequence(), position + 1));
    }
    return contexts;
  }

  /** Behind the prompt and behind every start of a path, of which there is one for each label. */
  private static List<List<Integer>> wanted(Sequence sequence) {
    List<List<Integer>> wanted = new ArrayList<>();
    wanted.add(tokens(sequence, sequence.promptTokens()));
    for (Choices.Path path : sequence.choices().paths()) {
      List<Integer> context =
          path.conditional() ? tokens(sequence, sequence.promptTokens()) : new ArrayList<>();
      for (int token : path.tokens()) {
        context.add(token);
        wanted.add(List.copyOf(context));
      }
    }
    return wanted;
  }

  private static List<Integer> tokens(Sequence sequence, int count) {
    List<Integer> tokens = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      tokens.add(sequence.tokens().get(i));
    }
    return tokens;
  }

  private static void assertScheduled(
      Scheduled scheduled, Sequence sequence, int from, int tokens, int logits) {
    assertThat(scheduled.sequence()).isSameAs(sequence);
    assertThat(scheduled.from()).isEqualTo(from);
    assertThat(scheduled.tokens()).isEqualTo(tokens);
    assertThat(scheduled.logits()).isEqualTo(logits);
  }

  private static Set<Sequence> roots(List<Scheduled> step) {
    Set<Sequence> roots = new LinkedHashSet<>();
    step.forEach(scheduled -> roots.add(scheduled.sequence().root()));
    return roots;
  }

  /** Plays a forward pass that throws: the blocks it writes hold nothing of use. */
  private static void fail(List<Scheduled> step, Map<Integer, List<Integer>> contents) {
    for (Scheduled scheduled : step) {
      Sequence sequence = scheduled.sequence();
      int first = sequence.blocks().computed() / ForwardPass.BLOCK_SIZE;
      for (int b = first; b < sequence.blocks().count(); b++) {
        contents.put(sequence.blocks().block(b), List.of());
      }
    }
  }

  /** Plays the forward pass: notes what is written where, and checks what is read. */
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
              .as("what the cache holds of the sequence")
              .isEqualTo(before);
        }
        if (blockEnd > sequence.blocks().computed()) {
          assertThat(written.add(sequence.blocks().block(b))).as("one writer a block").isTrue();
          for (int i = before.size(); i < blockEnd; i++) {
            before.add(sequence.tokens().get(i));
          }
          contents.put(sequence.blocks().block(b), before);
        }
      }
    }
  }

  /** Schedules and computes one step: tokens by sequence. */
  private static Map<Sequence, Integer> step(Scheduler scheduler) {
    List<Scheduled> step = scheduler.schedule();
    scheduler.computed(step);
    Map<Sequence, Integer> tokens = new HashMap<>();
    step.forEach(s -> tokens.put(s.sequence(), s.tokens()));
    return tokens;
  }

  private static Scheduler scheduler(
      int maxNumSeqs, int budget, boolean prefixCaching, BlockPool pool) {
    return new Scheduler(new StepLimits(maxNumSeqs, budget, maxNumSeqs), prefixCaching, pool);
  }

  /** A sequence that chooses between labels, given as token ids. */
  private static Sequence choosing(int promptLength, String... labels) {
    int[][] tokens =
        Arrays.stream(labels)
            .map(label -> Arrays.stream(label.split(" ")).mapToInt(Integer::parseInt).toArray())
            .toArray(int[][]::new);
    Choices choices = new Choices(List.of(labels), tokens, ChoicesMethod.TOKEN_LENGTH_NORMALIZED);
    return sequence(promptLength, 1, choices);
  }

  private static Sequence prioritized(int promptLength, int priority) {
    Sequence sequence = sequence(promptLength, 1);
    sequence.request().setPriority(priority);
    return sequence;
  }

  private static Sequence sequence(int promptLength, int token) {
    return sequence(promptLength, token, null);
  }

  private static Sequence sequence(int promptLength, int token, Choices choices) {
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

  /** Says nothing. */
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
