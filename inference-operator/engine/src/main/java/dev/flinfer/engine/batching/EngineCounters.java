package dev.flinfer.engine.batching;

import dev.flinfer.engine.EngineStats;
import dev.flinfer.engine.blocks.BlockPool;
import java.util.List;

/** The counters of an engine. Used on its thread only. */
final class EngineCounters {
  private long steps;
  private long sequences;
  private long promptTokens;
  private long generatedTokens;
  private long failedSteps;

  /** Counts a step that was computed; none of its tokens may have been sampled yet. */
  void step(List<Scheduled> step) {
    steps++;
    sequences += step.size();
    for (Scheduled scheduled : step) {
      boolean generated = scheduled.logits() > 0 && scheduled.sequence().generated() > 0;
      promptTokens += scheduled.tokens() - (generated ? 1 : 0);
    }
  }

  /** Counts a step that threw, or whose logits were NaN. */
  void failedStep() {
    failedSteps++;
  }

  /** Counts a generated token. */
  void generated() {
    generatedTokens++;
  }

  EngineStats stats(Scheduler scheduler, BlockPool pool, int queued) {
    return new EngineStats(
        steps,
        sequences,
        promptTokens,
        generatedTokens,
        scheduler.prefixCacheHits(),
        scheduler.preemptions(),
        failedSteps,
        scheduler.running().size(),
        scheduler.waiting().size() + scheduler.held().size() + queued,
        pool.used(),
        pool.total());
  }
}
