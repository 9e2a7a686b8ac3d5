package dev.flinfer.engine.batching;

import static dev.flinfer.engine.batching.TestSequences.choosing;
import static dev.flinfer.engine.batching.TestSequences.prioritized;
import static dev.flinfer.engine.batching.TestSequences.roots;
import static dev.flinfer.engine.batching.TestSequences.scheduler;
import static dev.flinfer.engine.batching.TestSequences.sequence;
import static dev.flinfer.engine.batching.TestSequences.step;
import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.blocks.BlockPool;
import dev.flinfer.engine.device.StepLimits;
import dev.flinfer.engine.sampling.TokenLogprobs;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class SchedulerTest {

  @Test
  void decodingComesBeforePrefillAndPrefillIsChunked() {
    Scheduler scheduler = scheduler(4, 10, false, new BlockPool(50));
    Sequence first = add(scheduler, sequence(8, 1));
    Sequence second = add(scheduler, sequence(20, 2));

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
  void theYoungestIsPreemptedAndComputedAgain() {
    BlockPool pool = new BlockPool(3);
    Scheduler scheduler = scheduler(4, 100, false, pool);
    Sequence old = add(scheduler, sequence(30, 1));
    Sequence young = add(scheduler, sequence(15, 2));
    step(scheduler);
    for (int i = 0; i < 2; i++) {
      old.append(1, TokenLogprobs.NONE);
      young.append(1, TokenLogprobs.NONE);
      step(scheduler);
    }
    // old fills its 2 blocks with 32 tokens; young has 17 and needs a second block: none is left.
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
    Sequence first = add(scheduler, sequence(40, 7));
    step(scheduler);
    Sequence same = add(scheduler, sequence(40, 7));
    first.append(1, TokenLogprobs.NONE);

    assertThat(step(scheduler)).isEqualTo(Map.of(first, 1, same, 8));
    assertThat(same.cachedTokens()).isEqualTo(32);
    assertThat(scheduler.prefixCacheHits()).isEqualTo(2);
    assertThat(same.blocks().block(0)).isEqualTo(first.blocks().block(0));
    assertThat(same.blocks().block(2)).isNotEqualTo(first.blocks().block(2));
  }

  @Test
  void theLastTokenOfAPromptOfFullBlocksIsComputedAgain() {
    Scheduler scheduler = scheduler(4, 100, true, new BlockPool(20));
    Sequence first = add(scheduler, sequence(32, 7));
    step(scheduler);
    scheduler.remove(first);
    Sequence same = add(scheduler, sequence(32, 7));

    assertThat(step(scheduler)).isEqualTo(Map.of(same, 16));
  }

  @Test
  void afterAFailedStepEachSequenceIsComputedByItselfUntilItMakesProgress() {
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
    // The second keeps its blocks, the first finds its full block in the cache.
    assertThat(step(scheduler)).isEqualTo(Map.of(second, 1, first, 5, later, 20));
  }

  @Test
  void aSequenceWithTokensIsTriedLastAndNotAfterTheCauseIsFound() {
    Scheduler scheduler = scheduler(4, 100, true, new BlockPool(20));
    Sequence running = add(scheduler, sequence(20, 1));
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
    scheduler.removeFailing(offender);
    assertThat(roots(scheduler.schedule())).containsExactlyInAnyOrder(running, innocent);
  }

  @Test
  void theBlocksOfAnOffenderLeaveThePrefixCache() {
    Scheduler scheduler = scheduler(4, 100, true, new BlockPool(20));
    Sequence offender = add(scheduler, sequence(40, 1));
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
  void labelsAreComputedInOneStepWithTheirPromptAndShareItsFullBlocks() {
    BlockPool pool = new BlockPool(10);
    Sequence sequence = choosing(40, "5 6 7", "5 8", "9");
    Scheduler scheduler = new Scheduler(new StepLimits(1, 100, 8), false, pool);
    scheduler.add(sequence);

    List<Scheduled> step = scheduler.schedule();

    assertThat(step).hasSize(2);
    assertScheduled(step.get(0), sequence, 0, 40, 1);
    Sequence branch = step.get(1).sequence();
    // The prompt's last 8 tokens again, then 5 and 6; logits after these two.
    assertScheduled(step.get(1), branch, 32, 10, 2);
    assertThat(branch.blocks().blocks())
        .startsWith(sequence.blocks().block(0), sequence.blocks().block(1));
    assertThat(branch.blocks().block(2)).isNotEqualTo(sequence.blocks().block(2));
    scheduler.computed(step);
    assertThat(sequence.allLabelsScored()).isTrue();
    scheduler.remove(sequence);
    assertThat(pool.used()).isZero();
  }

  @Test
  void withTheBlocksOfOneSequenceLabelsAreComputedOneAtATime() {
    BlockPool pool = new BlockPool(3);
    Sequence sequence = choosing(40, "5 6", "7 8", "9 9");
    Scheduler scheduler = new Scheduler(new StepLimits(1, 100, 8), false, pool);
    scheduler.add(sequence);

    assertThat(step(scheduler)).isEqualTo(Map.of(sequence, 40));
    for (int i = 0; i < 3; i++) {
      assertThat(sequence.allLabelsScored()).isFalse();
      assertThat(step(scheduler).values()).containsExactly(9);
    }
    assertThat(sequence.allLabelsScored()).isTrue();
  }

  private static Sequence add(Scheduler scheduler, Sequence sequence) {
    scheduler.add(sequence);
    return sequence;
  }

  private static void assertScheduled(
      Scheduled scheduled, Sequence sequence, int from, int tokens, int logits) {
    assertThat(scheduled.sequence()).isSameAs(sequence);
    assertThat(scheduled.from()).isEqualTo(from);
    assertThat(scheduled.tokens()).isEqualTo(tokens);
    assertThat(scheduled.logits()).isEqualTo(logits);
  }
}
