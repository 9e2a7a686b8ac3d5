package dev.flinfer.cli.soak;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Random;

/** An endless sequence of faults in which each occurs equally often; a seed gives a sequence. */
final class FaultPlan {
  private static final int TWO_EVERY = 4;
  private static final int SOON_EVERY = 4;
  private static final double MIN_SECONDS = 1;

  private final List<Fault> faults;
  private final Random random;
  private final double maxSeconds;
  private final Deque<Fault> deck = new ArrayDeque<>();

  /**
   * A step of the plan.
   *
   * @param faults one, or two that begin and end together
   * @param hold how long they are in effect
   * @param waitForProgress whether the job must have continued before they begin; otherwise they
   *     hit it while it does
   * @param pause before they begin
   */
  record Step(List<Fault> faults, Duration hold, boolean waitForProgress, Duration pause) {}

  FaultPlan(List<Fault> faults, Random random, Duration maxHold) {
    this.faults = List.copyOf(faults);
    this.random = random;
    maxSeconds = Math.max(2 * MIN_SECONDS, maxHold.toSeconds());
  }

  Step next() {
    List<Fault> chosen = new ArrayList<>();
    chosen.add(draw());
    if (random.nextInt(TWO_EVERY) == 0) {
      Fault other = draw();
      if (other.target().equals(chosen.get(0).target())) {
        deck.addLast(other);
      } else {
        chosen.add(other);
      }
    }
    return new Step(chosen, hold(), random.nextInt(SOON_EVERY) > 0, millis(3_000));
  }

  private Fault draw() {
    if (deck.isEmpty()) {
      List<Fault> shuffled = new ArrayList<>(faults);
      Collections.shuffle(shuffled, random);
      deck.addAll(shuffled);
    }
    return deck.removeFirst();
  }

  /** From seconds to the maximum, each order of magnitude as often as another. */
  private Duration hold() {
    double seconds =
        MIN_SECONDS * Math.exp(random.nextDouble() * Math.log(maxSeconds / MIN_SECONDS));
    return Duration.ofMillis((long) (1000 * seconds));
  }

  private Duration millis(int bound) {
    return Duration.ofMillis(random.nextInt(bound));
  }
}
