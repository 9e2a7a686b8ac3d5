package dev.flinfer.cli.soak;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class FaultPlanTest {
  private static final int TARGETS = 5;
  private static final Duration MAX = Duration.ofSeconds(30);

  private static List<FaultPlan.Step> steps(long seed, int count) {
    List<Fault> faults = new ArrayList<>();
    for (int i = 0; i < TARGETS; i++) {
      faults.addAll(Fault.of(new Child("child " + i, List.of(), Path.of("unused"))));
    }
    FaultPlan plan = new FaultPlan(faults, new Random(seed), MAX);
    return IntStream.range(0, count).mapToObj(i -> plan.next()).toList();
  }

  private static String text(List<FaultPlan.Step> steps) {
    return steps.stream()
        .map(step -> step.faults() + " " + step.hold() + step.pause() + step.waitForProgress())
        .collect(Collectors.joining("\n"));
  }

  @Test
  void aSeedGivesASequence() {
    assertThat(text(steps(1, 50))).isEqualTo(text(steps(1, 50)));
    assertThat(text(steps(1, 50))).isNotEqualTo(text(steps(2, 50)));
  }

  @Test
  void eachFaultOccursAboutEquallyOften() {
    Map<String, Long> times =
        steps(3, 1000).stream()
            .flatMap(step -> step.faults().stream())
            .collect(Collectors.groupingBy(Fault::toString, Collectors.counting()));
    long max = times.values().stream().mapToLong(n -> n).max().orElseThrow();
    assertThat(times).hasSizeGreaterThanOrEqualTo(3 * TARGETS);
    assertThat(times.values()).allSatisfy(n -> assertThat(n).isBetween(max - 2, max));
  }

  @Test
  void twoFaultsAtOnceAreOfDifferentTargets() {
    List<FaultPlan.Step> twos =
        steps(4, 1000).stream().filter(step -> step.faults().size() == 2).toList();
    assertThat(twos)
        .isNotEmpty()
        .noneMatch(s -> s.faults().get(0).target().equals(s.faults().get(1).target()));
  }

  @Test
  void faultsAreShortAndLong() {
    List<Duration> holds = steps(5, 1000).stream().map(FaultPlan.Step::hold).toList();
    assertThat(holds)
        .allSatisfy(hold -> assertThat(hold).isBetween(Duration.ofSeconds(1), MAX))
        .anyMatch(hold -> hold.compareTo(Duration.ofSeconds(2)) < 0)
        .anyMatch(hold -> hold.compareTo(Duration.ofSeconds(25)) > 0);
  }
}
