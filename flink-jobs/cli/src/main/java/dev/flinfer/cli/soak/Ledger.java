package dev.flinfer.cli.soak;

import dev.flinfer.cli.kafka.Readback;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.Throughput;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The records that were sent and their outcomes. Pure; independent of Kafka. */
final class Ledger implements Readback.Sink {

  /** The part of a completion that must not differ between two runs of a request. */
  private record Output(String text, List<Integer> tokens) {
    static Output of(Completion completion) {
      return new Output(completion.getText(), completion.getTokenIds());
    }
  }

  /** A record that was sent; exactly one of {@code expected} and {@code value} is null. */
  private static final class Entry {
    private final Output expected;
    private final byte[] value;
    private int outcomes;

    Entry(Output expected, byte[] value) {
      this.expected = expected;
      this.value = value;
    }
  }

  private final Map<String, Entry> entries = new HashMap<>();
  private final Map<ByteBuffer, String> withoutKey = new HashMap<>();
  private final Set<String> tombstones = new HashSet<>();
  private final Map<String, String> problems = new TreeMap<>();
  private long completed;
  private long rejected;
  private long duplicated;
  private long changed;
  private long countedCompleted;
  private long countedRejected;

  /** Enters a request with its completion in an undisturbed run. */
  void sent(String id, Completion undisturbed) {
    entries.put(id, new Entry(Output.of(undisturbed), null));
  }

  /** Enters a record that is not a request, and must be rejected with its bytes unchanged. */
  void sentBad(String id, byte[] value) {
    entries.put(id, new Entry(null, value));
  }

  /** Enters a record like {@link #sentBad}, which has no key: its value must name it. */
  void sentBadWithoutKey(String id, byte[] value) {
    sentBad(id, value);
    withoutKey.put(ByteBuffer.wrap(value), id);
  }

  /** Enters a record that is rejected, and that is too large for a dead letter with its value. */
  void sentTooLarge(String id) {
    sentBad(id, new byte[0]);
  }

  /** Enters a record without a value, which must have no outcome. */
  void sentTombstone(String id) {
    tombstones.add(id);
  }

  @Override
  public void completion(Completion completion) {
    completed++;
    String id = completion.getId();
    Entry entry = outcome(id);
    if (entry != null && !Output.of(completion).equals(entry.expected)) {
      changed(
          id,
          entry.expected == null ? "is invalid but was completed" : "has a different completion");
    }
  }

  @Override
  public void rejection(String key, byte[] value) {
    rejected++;
    String id = key == null ? withoutKey.get(ByteBuffer.wrap(value)) : key;
    Entry entry = outcome(id == null ? "a dead letter without a key" : id);
    if (entry != null && !Arrays.equals(value, entry.value)) {
      changed(
          id,
          entry.value == null
              ? "is valid but was rejected"
              : "has a different value in its dead letter");
    }
  }

  private Entry outcome(String id) {
    Entry entry = entries.get(id);
    if (entry == null) {
      changed(id, tombstones.contains(id) ? "is a tombstone but has an outcome" : "was never sent");
    } else if (++entry.outcomes > 1) {
      duplicated++;
      problems.put(id, "has %d outcomes".formatted(entry.outcomes));
    }
    return entry;
  }

  private void changed(String id, String why) {
    changed++;
    problems.put(id, why);
  }

  /** Adds the job's own counts. */
  @Override
  public void throughput(Throughput report) {
    countedCompleted += report.getRequests();
    countedRejected += report.getRejections();
  }

  long sent() {
    return entries.size();
  }

  /** Number of outcomes, including duplicates. */
  long outcomes() {
    return completed + rejected;
  }

  long lost() {
    return entries.values().stream().filter(entry -> entry.outcomes == 0).count();
  }

  /** Returns some of the ids with a problem, each followed by the problem. */
  List<String> problems(int limit) {
    entries.forEach(
        (id, entry) -> {
          if (entry.outcomes == 0) {
            problems.put(id, "is lost");
          }
        });
    return problems.entrySet().stream()
        .limit(limit)
        .map(entry -> entry.getKey() + " " + entry.getValue())
        .toList();
  }

  boolean isClean() {
    return duplicated == 0 && lost() == 0 && changed == 0;
  }

  /** Whether the counts of the throughput topic match the other topics. */
  boolean reconciles() {
    return countedCompleted == completed && countedRejected == rejected;
  }

  int tombstones() {
    return tombstones.size();
  }

  String counts() {
    return "throughput topic: completed %d, rejected %d"
        .formatted(countedCompleted, countedRejected);
  }

  @Override
  public String toString() {
    return "sent %d, completed %d, rejected %d, duplicated %d, lost %d, changed %d"
        .formatted(sent(), completed, rejected, duplicated, lost(), changed);
  }
}
