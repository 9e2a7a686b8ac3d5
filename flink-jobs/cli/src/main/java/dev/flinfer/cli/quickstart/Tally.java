package dev.flinfer.cli.quickstart;

import dev.flinfer.cli.Text;
import dev.flinfer.cli.kafka.Readback;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.Throughput;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The records read back from Kafka, and whether each prompt has exactly one outcome. */
final class Tally implements Readback.Sink {
  private static final int MAX_NAMED = 10;

  private final Map<String, Integer> outcomes = new LinkedHashMap<>();
  private final Set<String> unknown = new LinkedHashSet<>();
  private final Map<String, Completion> completions = new LinkedHashMap<>();
  private final List<Throughput> throughput = new ArrayList<>();
  private long completionRecords;
  private long rejectionRecords;
  private long answered;

  /**
   * @param ids ids of the prompts that were sent
   */
  Tally(Collection<String> ids) {
    ids.forEach(id -> outcomes.put(id, 0));
  }

  @Override
  public void completion(Completion completion) {
    completionRecords++;
    completions.putIfAbsent(completion.getId(), completion);
    outcome(completion.getId());
  }

  /**
   * @param id the prompt's id, which is the key of its record; null if it has none
   */
  @Override
  public void rejection(String id, byte[] value) {
    rejectionRecords++;
    outcome(String.valueOf(id));
  }

  @Override
  public void throughput(Throughput window) {
    throughput.add(window);
  }

  private void outcome(String id) {
    Integer before = outcomes.computeIfPresent(id, (key, count) -> count + 1);
    if (before == null) {
      unknown.add(id);
    } else if (before == 1) {
      answered++;
    }
  }

  /** Number of prompts that have an outcome. */
  long answered() {
    return answered;
  }

  boolean allAnswered() {
    return answered == outcomes.size();
  }

  long completionRecords() {
    return completionRecords;
  }

  long rejectionRecords() {
    return rejectionRecords;
  }

  /** The first completion of each prompt, by its id. */
  Map<String, Completion> completions() {
    return completions;
  }

  List<Throughput> throughput() {
    return throughput;
  }

  /** Returns a line for each kind of deviation from one outcome per prompt. */
  List<String> problems() {
    List<String> problems = new ArrayList<>();
    describe(problems, idsWith(0), "no completion and no rejection");
    List<String> several =
        outcomes.entrySet().stream().filter(e -> e.getValue() > 1).map(Map.Entry::getKey).toList();
    describe(problems, several, "more than one completion or rejection");
    if (!unknown.isEmpty()) {
      problems.add(
          "%s for prompts that were not sent: %s"
              .formatted(Text.plural(unknown.size(), "outcome"), named(unknown)));
    }
    return problems;
  }

  private List<String> idsWith(int count) {
    return outcomes.entrySet().stream()
        .filter(e -> e.getValue() == count)
        .map(Map.Entry::getKey)
        .toList();
  }

  private static void describe(List<String> problems, List<String> ids, String what) {
    if (!ids.isEmpty()) {
      String prompts = Text.plural(ids.size(), "prompt");
      problems.add(
          "%s %s %s: %s".formatted(prompts, ids.size() == 1 ? "has" : "have", what, named(ids)));
    }
  }

  private static String named(Collection<String> ids) {
    String some = String.join(", ", ids.stream().limit(MAX_NAMED).toList());
    int more = ids.size() - MAX_NAMED;
    return more > 0 ? some + " and " + Text.count(more) + " more" : some;
  }
}
