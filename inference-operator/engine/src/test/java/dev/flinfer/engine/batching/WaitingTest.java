package dev.flinfer.engine.batching;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.Requests;
import dev.flinfer.engine.sampling.SamplingParams;
import dev.flinfer.schema.CompletionRequest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

final class WaitingTest {
  private final Waiting waiting = new Waiting();
  private long arrivals;

  @Test
  void theLowestPriorityValueGoesFirstAndTiesGoInTheOrderOfArrival() {
    List<Sequence> added = new ArrayList<>();
    for (int priority : new int[] {0, 1, -5, 0, 1}) {
      added.add(add(priority));
    }
    assertThat(waiting.all())
        .containsExactly(added.get(2), added.get(0), added.get(3), added.get(1), added.get(4));
  }

  @Test
  void afterEightOvertakesTheOldestIsNextAndStaysNext() {
    Sequence patient = add(9);
    for (int i = 0; i < 8; i++) {
      Sequence urgent = add(0);
      assertThat(waiting.next()).isSameAs(urgent);
      waiting.admitNext();
    }
    add(0);
    assertThat(waiting.next()).isSameAs(patient);
    add(-100);
    assertThat(waiting.next()).isSameAs(patient);
    waiting.admitNext();
    // After preemption it is before all others, even those promoted later.
    waiting.add(patient);
    Sequence other = add(-200);
    waiting.remove(other);
    other.place().promote();
    waiting.add(other);
    assertThat(waiting.next()).isSameAs(patient);
  }

  /** The order is fair: the admissions before a sequence are bounded by the older sequences. */
  @Property(tries = 200)
  void noSequenceWaitsLongerThanTheBound(@ForAll long seed) {
    Random random = new Random(seed);
    Waiting line = new Waiting();
    Map<Sequence, Integer> admissionsLeft = new HashMap<>();
    int size = 0;
    for (int i = 0; i < 2000; i++) {
      if (size == 0 || random.nextInt(100) < 55) {
        Sequence sequence = sequence(random.nextInt(4), i + 1);
        line.add(sequence);
        admissionsLeft.put(sequence, (Waiting.MAX_OVERTAKES + 1) * (size + 1));
        size++;
      } else {
        Sequence next = line.next();
        line.admitNext();
        size--;
        admissionsLeft.remove(next);
        admissionsLeft.replaceAll((sequence, left) -> left - 1);
        assertThat(admissionsLeft.values()).allMatch(left -> left > 0);
      }
    }
  }

  private Sequence add(int priority) {
    Sequence sequence = sequence(priority, ++arrivals);
    waiting.add(sequence);
    return sequence;
  }

  private static Sequence sequence(int priority, long arrival) {
    CompletionRequest request = Requests.greedy("id", "p", 1).setPriority(priority).build();
    Sequence sequence =
        new Sequence(
            new CheckedRequest(request, SamplingParams.of(request), new int[] {1}, null, null),
            null,
            null,
            0,
            ignored -> {});
    sequence.place().arrived(arrival);
    return sequence;
  }
}
