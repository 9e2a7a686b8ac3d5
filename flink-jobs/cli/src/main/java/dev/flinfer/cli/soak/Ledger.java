package dev.flinfer.cli.soak;

import dev.flinfer.cli.kafka.Readback;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.Throughput;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What was sent, and what came of it. Pure; knows no Kafka. */
final class Ledger implements Readback.Sink {

  /** What must not differ between two runs of a request: times and cache hits may. */
  private record Answer(String text, List<Integer> tokens) {
    static Answer of(Completion completion) {
      return new Answer(completion.getText(), completion.getTokenIds());
    }
  }

  /** A record that was sent; exactly one of answer and value is null. */
  private static final class Entry {
    private final Answer answer;
    private final byte[] value;
    private int outcomes;

    Entry(Answer answer, byte[] value) {
      this.answer = answer;
      this.value = value;
    }
  }

  private final Map<String, Entry> entries = new HashMap<>();
  private final Map<String, String> strange = new TreeMap<>();
  private long completed;
  private long rejected;
  private long duplicated;
  private long changed;
  private long countedCompleted;
  private long countedRejected;

  /** A request, and what it is answered with where nothing fails. */
  void sent(String id, Completion undisturbed) {
    entries.put(id, new Entry(Answer.of(undisturbed), null));
  }

  /** A record that is no request, which is to be rejected with its bytes as they are. */
  void sentBad(String id, byte[] value) {
    entries.put(id, new Entry(null, value));
  }

  @Override
  public void completion(Completion completion) {
    completed++;
    Entry entry = outcome(completion.getId());
    if (entry != null && !Answer.of(completion).equals(entry.answer)) {
      changed(completion.getId(), entry.answer == null ? "is bad, and answered" : "other text");
    }
  }

  @Override
  public void rejection(String id, byte[] value) {
    rejected++;
    Entry entry = outcome(id);
    if (entry != null && !Arrays.equals(value, entry.value)) {
      changed(id, entry.value == null ? "is good, and rejected" : "other bytes");
    }
  }

  private Entry outcome(String id) {
    Entry entry = entries.get(id);
    if (entry == null) {
      changed(id, "was never sent");
    } else if (++entry.outcomes > 1) {
      duplicated++;
      strange.put(id, "has %d outcomes".formatted(entry.outcomes));
    }
    return entry;
  }

  private void changed(String id, String why) {
    changed++;
    strange.put(id, why);
  }

  /** What the job says of itself. */
  @Override
  public void throughput(Throughput report) {
    countedCompleted += report.getRequests();
    countedRejected += report.getRejections();
  }

  long sent() {
    return entries.size();
  }

  /** Outcomes, each counted. */
  long outcomes() {
    return completed + rejected;
  }

  long lost() {
    return entries.values().stream().filter(entry -> entry.outcomes == 0).count();
  }

  /** Some of the requests with something wrong, and what. */
  List<String> strange(int most) {
    entries.forEach(
        (id, entry) -> {
          if (entry.outcomes == 0) {
            strange.put(id, "is lost");
          }
        });
    return strange.entrySet().stream()
        .limit(most)
        .map(entry -> entry.getKey() + " " + entry.getValue())
        .toList();
  }

  boolean isClean() {
    return duplicated == 0 && lost() == 0 && changed == 0;
  }

  /** Whether the throughput topic adds up to what is in the others. */
  boolean reconciles() {
    return countedCompleted == completed && countedRejected == rejected;
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
