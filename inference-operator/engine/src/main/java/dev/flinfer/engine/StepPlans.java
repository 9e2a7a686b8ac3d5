package dev.flinfer.engine;

import java.util.List;

/** Lays a step out in rows. */
final class StepPlans {
  private StepPlans() {}

  /** Logits are wanted of each sequence whose tokens are all computed by the step. */
  static StepPlan of(List<Scheduler.Scheduled> step) {
    int rows = 0;
    int numLogits = 0;
    for (Scheduler.Scheduled scheduled : step) {
      rows += scheduled.tokens();
      numLogits += scheduled.tokens() == scheduled.sequence().uncomputed() ? 1 : 0;
    }
    StepPlan plan =
        new StepPlan(
            new int[rows],
            new int[rows],
            new int[rows],
            new int[step.size()][],
            new int[numLogits]);
    int row = 0;
    int logit = 0;
    for (int s = 0; s < step.size(); s++) {
      Sequence sequence = step.get(s).sequence();
      plan.blockTables()[s] = sequence.blocks;
      int end = sequence.computed + step.get(s).tokens();
      for (int position = sequence.computed; position < end; position++, row++) {
        plan.tokens()[row] = sequence.token(position);
        plan.positions()[row] = position;
        plan.sequences()[row] = s;
      }
      if (end == sequence.length()) {
        plan.logitRows()[logit++] = row - 1;
      }
    }
    return plan;
  }
}
