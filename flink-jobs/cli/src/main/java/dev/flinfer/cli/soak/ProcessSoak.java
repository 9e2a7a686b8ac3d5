package dev.flinfer.cli.soak;

import dev.flinfer.cli.Console;
import dev.flinfer.cli.Text;
import dev.flinfer.cli.kafka.KafkaArguments;
import dev.flinfer.cli.kafka.Readback;
import dev.flinfer.cli.kafka.RecordSender;
import dev.flinfer.cli.local.StopSignal;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** Sends records to the job, disturbs its processes and accounts for every record. */
final class ProcessSoak {
  /** A broker that is frozen for minutes must not fail the sender or the reader. */
  private static final Map<String, String> PATIENT =
      Map.of("delivery.timeout.ms", "3600000", "max.block.ms", "3600000");

  private static final int MAX_OUTSTANDING = 400;
  private static final int MAX_UNACKNOWLEDGED = 50;
  private static final int MAX_NAMED = 10;
  private static final long REPORT = TimeUnit.SECONDS.toNanos(10);
  private static final int STALLED_MINUTES = 3;

  /** Four JVMs start at once, and load the model. */
  private static final int START_MINUTES = 8;

  /** A duplicate would be in one of the checkpoints after the last outcome. */
  private static final long SETTLE = TimeUnit.SECONDS.toNanos(4);

  private final Console console;
  private final SoakCluster cluster;
  private final SoakPrompts prompts;
  private final FaultPlan plan;
  private final StopSignal stop;
  private final Ledger ledger = new Ledger();
  private final Map<String, List<Long>> held = new TreeMap<>();
  private final long start;
  private final QuietTime quiet;
  private FaultPlan.Step step;
  private boolean inFault;
  private long due;
  private long outcomesAtEnd;
  private long sends;
  private long reported;

  ProcessSoak(
      Console console, SoakCluster cluster, SoakPrompts prompts, FaultPlan plan, StopSignal stop) {
    this.console = console;
    this.cluster = cluster;
    this.prompts = prompts;
    this.plan = plan;
    this.stop = stop;
    start = now();
    reported = start;
    quiet = new QuietTime(start);
  }

  /** The longest that a fault is in effect in a soak of some minutes. */
  static Duration maxHold(double minutes) {
    return Duration.ofSeconds((long) Math.min(300, 10 * minutes));
  }

  /** Returns the exit code. */
  int run(double minutes) throws IOException {
    KafkaArguments kafka = KafkaArguments.of(cluster.bootstrapServers(), PATIENT);
    RecordSender sender = new RecordSender(kafka, Readback.PROMPTS);
    try (Readback readback = new Readback(kafka, ledger)) {
      disturb(sender, readback, (long) (minutes * TimeUnit.MINUTES.toNanos(1)));
      if (goesOn()) {
        say("waiting for the last outcomes");
      }
      for (long settled = now(); goesOn() && now() - settled < SETTLE; ) {
        poll(readback);
        settled = isSettled() ? settled : now();
      }
    } finally {
      sender.closeNow(); // a broker that is down never acknowledges the rest
    }
    if (stop.isRequested()) {
      console.say("flinfer: stopped");
      return stop.exitCode();
    }
    return report();
  }

  /** Disturbs the job for a time from its first outcome; before, it starts. */
  private void disturb(RecordSender sender, Readback readback, long nanos) {
    long begin = now();
    while (now() - begin < nanos && goesOn()) {
      send(sender);
      poll(readback);
      begin = ledger.outcomes() == 0 ? now() : begin;
      disturb();
    }
    if (inFault) {
      endFaults();
    }
  }

  private boolean goesOn() {
    return !stop.isRequested() && !hasStalled();
  }

  private boolean isSettled() {
    return ledger.lost() == 0 && ledger.reconciles();
  }

  private boolean hasStalled() {
    int minutes = ledger.outcomes() == 0 ? START_MINUTES : STALLED_MINUTES;
    return quiet.quiet() > TimeUnit.MINUTES.toNanos(minutes);
  }

  private void send(RecordSender sender) {
    while (ledger.sent() - ledger.outcomes() < MAX_OUTSTANDING
        && sends - sender.acknowledged() < MAX_UNACKNOWLEDGED) {
      sender.send(prompts.next(ledger));
      sends++;
    }
  }

  private void poll(Readback readback) {
    readback.poll();
    long now = now();
    quiet.at(now, ledger.outcomes(), ledger.outcomes() < ledger.sent(), inFault);
    cluster.restartEnded(
        now,
        child ->
            say("%s ended by itself with exit code %d".formatted(child.name(), child.exitCode())));
    if (now - reported > REPORT) {
      reported = now;
      say("%d answered of %d sent".formatted(ledger.outcomes(), ledger.sent()));
    }
  }

  private void disturb() {
    long now = now();
    if (step == null) {
      step = plan.next();
      due = now + step.pause().toNanos();
      return;
    }
    if (!inFault
        && (step.waitForProgress() || ledger.outcomes() == 0)
        && ledger.outcomes() == outcomesAtEnd) {
      due = now + step.pause().toNanos();
      return;
    }
    if (now < due) {
      return;
    }
    if (inFault) {
      endFaults();
      return;
    }
    say("%s for %.1f s".formatted(names(step), step.hold().toMillis() / 1e3));
    step.faults().forEach(Fault::begin);
    inFault = true;
    due = now() + step.hold().toNanos();
    for (Fault fault : step.faults()) {
      held.computeIfAbsent(fault.toString(), name -> new ArrayList<>()).add(step.hold().toMillis());
    }
  }

  private void endFaults() {
    step.faults().forEach(Fault::end);
    say("%s: over".formatted(names(step)));
    step = null;
    inFault = false;
    outcomesAtEnd = ledger.outcomes();
  }

  private static String names(FaultPlan.Step step) {
    return String.join(" and ", step.faults().stream().map(Fault::toString).toList());
  }

  private int report() {
    List<String> lines = new ArrayList<>();
    lines.add("%-40s %5s %9s %9s".formatted("fault", "times", "longest", "total"));
    held.forEach(
        (name, millis) ->
            lines.add(
                "%-40s %5d %7.1f s %7.1f s"
                    .formatted(
                        name,
                        millis.size(),
                        millis.stream().mapToLong(m -> m).max().orElse(0) / 1e3,
                        millis.stream().mapToLong(m -> m).sum() / 1e3)));
    for (Child child : cluster.children()) {
      if (child.ends() > 0) {
        lines.add("%-40s %5d".formatted(child.name() + " ended by itself", child.ends()));
      }
    }
    lines.add(
        "longest time without an outcome: %s; with no fault in effect: %s"
            .formatted(seconds(quiet.longest()), seconds(quiet.longestAfterFaults())));
    lines.add(
        "(a job waits for up to %d s before it restarts)"
            .formatted(SoakCluster.RESTART_DELAY.toSeconds()));
    lines.add("%s, %s".formatted(ledger.counts(), Text.plural(ledger.tombstones(), "tombstone")));
    lines.add(ledger.toString());
    console.print(lines);
    if (hasStalled()) {
      console.say(
          "flinfer: no outcome for %s with no fault in effect".formatted(seconds(quiet.quiet())));
    }
    ledger.problems(MAX_NAMED).forEach(line -> console.say("flinfer: " + line));
    if (!ledger.reconciles()) {
      console.say("flinfer: the throughput topic does not match the other topics");
    }
    return ledger.isClean() && ledger.reconciles() ? 0 : 1;
  }

  private static String seconds(long nanos) {
    return "%.1f s".formatted(nanos / 1e9);
  }

  private void say(String event) {
    console.say(
        "flinfer: %4d s  %s".formatted(TimeUnit.NANOSECONDS.toSeconds(now() - start), event));
  }

  private long now() {
    return console.nanoTime().getAsLong();
  }
}
