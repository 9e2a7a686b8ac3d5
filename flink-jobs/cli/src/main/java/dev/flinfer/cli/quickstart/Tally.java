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

/** What was read back from Kafka, and whether each prompt was answered exactly once. */
final class Tally implements Readback.Sink {
  private static final int MOST_NAMED = 10;

  private final Map<String, Integer> outcomes = new LinkedHashMap<>();
  private final Set<String> unknown = new LinkedHashSet<>();
  private final Map<String, Completion> completions = new LinkedHashMap<>();
  private final List<Throughput> throughput = new ArrayList<>();
  private long completionRecords;
  private long rejectionRecords;
  private long answered;

  /**
   * @param ids of the prompts that were sent
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
   * @param id the prompt's, which is its record's key; null where it has none
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

  /** Prompts that have an outcome. */
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

  /** A line for each way in which it is not exactly one outcome a prompt; none if it is. */
  List<String> problems() {
    List<String> problems = new ArrayList<>();
    describe(problems, idsWith(0), "no completion and no rejection");
    List<String> several =
        outcomes.entrySet().stream().filter(e -> e.getValue() > 1).map(Map.Entry::getKey).toList();
    describe(problems, several, "more than one completion or rejection");
    if (!unknown.isEmpty()) {
      problems.add(
          "%s of no prompt that was sent: %s"
              .formatted(Text.plural(unknown.size(), "answer"), named(unknown)));
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
    String some = String.join(", ", ids.stream().limit(MOST_NAMED).toList());
    int more = ids.size() - MOST_NAMED;
    return more > 0 ? some + " and " + Text.count(more) + " more" : some;
  }
}
