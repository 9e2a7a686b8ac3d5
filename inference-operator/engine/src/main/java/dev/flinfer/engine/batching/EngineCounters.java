package dev.flinfer.engine.batching;

import dev.flinfer.engine.EngineStats;
import java.util.List;

/** Counts what an engine does. Belongs to its thread. */
final class EngineCounters {
  private long steps;
  private long sequences;
  private long promptTokens;
  private long generatedTokens;
  private long failedSteps;

  /** A step was computed, and nothing of it sampled yet. */
  void step(List<Scheduled> step) {
    steps++;
    sequences += step.size();
    for (Scheduled scheduled : step) {
      boolean generated = scheduled.logits() > 0 && scheduled.sequence().generated() > 0;
      promptTokens += scheduled.tokens() - (generated ? 1 : 0);
    }
  }

  /** A step threw, or its logits were no numbers. */
  void failedStep() {
    failedSteps++;
  }

  /** A token was generated. */
  void generated() {
    generatedTokens++;
  }

  EngineStats stats(Scheduler scheduler, BlockPool pool, int notTakenIn) {
    return new EngineStats(
        steps,
        sequences,
        promptTokens,
        generatedTokens,
        scheduler.prefixCacheHits(),
        scheduler.preemptions(),
        failedSteps,
        scheduler.running().size(),
        scheduler.waiting().size() + notTakenIn,
        pool.used(),
        pool.total());
  }
}
