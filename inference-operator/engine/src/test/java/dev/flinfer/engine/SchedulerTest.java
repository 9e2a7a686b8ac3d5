package dev.flinfer.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.schema.CompletionRequest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
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
    Scheduler scheduler = new Scheduler(4, 10, false, new BlockPool(50));
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
    Scheduler scheduler = new Scheduler(2, 100, false, new BlockPool(50));
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
    Scheduler scheduler = new Scheduler(4, 100, false, pool);
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
    assertThat(young.blockCount).isZero();
    old.append(1, TokenLogprobs.NONE);
    assertThat(step(scheduler)).isEqualTo(Map.of(old, 1));
    assertThat(scheduler.preemptions()).isEqualTo(1);

    scheduler.remove(old);
    assertThat(step(scheduler)).isEqualTo(Map.of(young, 17));
  }

  @Test
  void aPromptThatSharesAPrefixIsPrefilledFromTheFirstBlockThatDiffers() {
    Scheduler scheduler = new Scheduler(4, 100, true, new BlockPool(20));
    Sequence first = sequence(40, 7);
    scheduler.add(first);
    step(scheduler);
    Sequence same = sequence(40, 7);
    scheduler.add(same);
    first.append(1, TokenLogprobs.NONE);

    assertThat(step(scheduler)).isEqualTo(Map.of(first, 1, same, 8));
    assertThat(same.cachedTokens).isEqualTo(32);
    assertThat(scheduler.prefixCacheHits()).isEqualTo(2);
    assertThat(same.blocks[0]).isEqualTo(first.blocks[0]);
    assertThat(same.blocks[2]).isNotEqualTo(first.blocks[2]);
  }

  @Test
  void aPromptOfWholeBlocksStillComputesItsLastToken() {
    Scheduler scheduler = new Scheduler(4, 100, true, new BlockPool(20));
    Sequence first = sequence(32, 7);
    scheduler.add(first);
    step(scheduler);
    scheduler.remove(first);
    Sequence same = sequence(32, 7);
    scheduler.add(same);

    assertThat(step(scheduler)).isEqualTo(Map.of(same, 16));
  }

  /** Random workloads: every sequence ends once, blocks never leak, no block serves two masters. */
  @Property(tries = 300)
  void everySequenceEndsAndNoBlockLeaks(
      @ForAll long seed,
      @ForAll @IntRange(min = 7, max = 30) int blocks,
      @ForAll @IntRange(min = 1, max = 6) int maxNumSeqs,
      @ForAll @IntRange(min = 6, max = 40) int budget,
      @ForAll boolean prefixCaching) {
    Random random = new Random(seed);
    BlockPool pool = new BlockPool(blocks);
    Scheduler scheduler = new Scheduler(maxNumSeqs, budget, prefixCaching, pool);
    Map<Sequence, Integer> left = new HashMap<>();
    Map<Integer, List<Integer>> contents = new HashMap<>(); // block -> tokens up to its end
    int toCome = 15;
    for (int steps = 0; toCome > 0 || !left.isEmpty(); steps++) {
      assertThat(steps).as("steps").isLessThan(20_000);
      while (toCome > 0 && random.nextInt(3) == 0) {
        int prompt = 1 + random.nextInt(MAX_LEN - 1);
        Sequence sequence = sequence(prompt, random.nextInt(2));
        left.put(sequence, 1 + random.nextInt(MAX_LEN - prompt));
        scheduler.add(sequence);
        toCome--;
      }
      List<Scheduler.Scheduled> step = scheduler.schedule();
      assertThat(step.isEmpty()).isEqualTo(left.isEmpty());
      assertThat(step.stream().mapToInt(Scheduler.Scheduled::tokens).sum())
          .isLessThanOrEqualTo(budget);
      assertThat(scheduler.running()).hasSizeLessThanOrEqualTo(maxNumSeqs);
      compute(step, contents);
      scheduler.computed(step);
      for (Scheduler.Scheduled scheduled : step) {
        Sequence sequence = scheduled.sequence();
        if (sequence.computed == sequence.length()) {
          sequence.append(random.nextInt(2), TokenLogprobs.NONE);
          if (left.merge(sequence, -1, Integer::sum) == 0) {
            left.remove(sequence);
            scheduler.remove(sequence);
          }
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

  /** Plays the forward pass: notes what is written where, and checks what is read. */
  private static void compute(
      List<Scheduler.Scheduled> step, Map<Integer, List<Integer>> contents) {
    Set<Integer> written = new HashSet<>();
    for (Scheduler.Scheduled scheduled : step) {
      Sequence sequence = scheduled.sequence();
      int end = sequence.computed + scheduled.tokens();
      assertThat(end).isLessThanOrEqualTo(sequence.blockCount * ForwardPass.BLOCK_SIZE);
      for (int b = 0; b * ForwardPass.BLOCK_SIZE < end; b++) {
        int blockEnd = Math.min(end, (b + 1) * ForwardPass.BLOCK_SIZE);
        List<Integer> before = new ArrayList<>();
        for (int i = 0; i < Math.min(blockEnd, sequence.computed); i++) {
          before.add(sequence.token(i));
        }
        if (b * ForwardPass.BLOCK_SIZE < sequence.computed) {
          assertThat(contents.get(sequence.blocks[b]).subList(0, before.size()))
              .as("what the cache holds of the sequence")
              .isEqualTo(before);
        }
        if (blockEnd > sequence.computed) {
          assertThat(written.add(sequence.blocks[b])).as("one writer a block").isTrue();
          for (int i = before.size(); i < blockEnd; i++) {
            before.add(sequence.token(i));
          }
          contents.put(sequence.blocks[b], before);
        }
      }
    }
  }

  /** Schedules and computes one step: tokens by sequence. */
  private static Map<Sequence, Integer> step(Scheduler scheduler) {
    List<Scheduler.Scheduled> step = scheduler.schedule();
    scheduler.computed(step);
    Map<Sequence, Integer> tokens = new HashMap<>();
    step.forEach(s -> tokens.put(s.sequence(), s.tokens()));
    return tokens;
  }

  private static Sequence sequence(int promptLength, int token) {
    int[] prompt = new int[promptLength];
    Arrays.fill(prompt, token);
    CompletionRequest request = Requests.greedy("id", "p", 1).build();
    return new Sequence(
        request,
        SamplingParams.of(request),
        prompt,
        new CompletionText(new Silent(), StopConditions.NONE),
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
