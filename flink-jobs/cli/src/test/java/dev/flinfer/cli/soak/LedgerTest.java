package dev.flinfer.cli.soak;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.cli.Samples;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.Throughput;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LedgerTest {
  private static final byte[] BAD = {1, 2};

  private final Ledger ledger = new Ledger();

  private static Completion answer(String id, String text) {
    Completion completion = Samples.completion(id, text);
    completion.setTokenIds(List.of(text.length()));
    return completion;
  }

  private void sendThree() {
    ledger.sent("a", answer("undisturbed-0", "hello"));
    ledger.sent("b", answer("undisturbed-1", "world"));
    ledger.sentBad("c", BAD);
  }

  @Test
  void aCleanRun() {
    sendThree();
    ledger.completion(answer("a", "hello"));
    ledger.rejection("c", BAD.clone());
    assertThat(ledger.lost()).isEqualTo(1);
    ledger.completion(answer("b", "world"));

    assertThat(ledger)
        .hasToString("sent 3, completed 2, rejected 1, duplicated 0, lost 0, changed 0");
    assertThat(ledger.isClean()).isTrue();
    assertThat(ledger.problems(9)).isEmpty();
  }

  @Test
  void problemsAreCountedAndNamed() {
    sendThree();
    ledger.completion(answer("a", "hello"));
    ledger.completion(answer("a", "hello"));
    ledger.rejection("c", new byte[] {1, 3});
    ledger.completion(answer("d", "other"));

    assertThat(ledger)
        .hasToString("sent 3, completed 3, rejected 1, duplicated 1, lost 1, changed 2");
    assertThat(ledger.isClean()).isFalse();
    assertThat(ledger.problems(9))
        .containsExactly(
            "a has 2 outcomes",
            "b is lost",
            "c has a different value in its dead letter",
            "d was never sent");
    assertThat(ledger.problems(1)).hasSize(1);
  }

  @Test
  void otherTextOrTokensAreAChange() {
    sendThree();
    ledger.completion(answer("a", "hullo!"));
    Completion otherTokens = answer("b", "world");
    otherTokens.setTokenIds(List.of(7));
    ledger.completion(otherTokens);
    ledger.completion(answer("c", "an answer"));

    assertThat(ledger.problems(9))
        .containsExactly(
            "a has a different completion",
            "b has a different completion",
            "c is invalid but was completed");
  }

  @Test
  void aRequestThatIsRejectedIsAChange() {
    sendThree();
    ledger.rejection("a", BAD);
    assertThat(ledger.problems(1)).containsExactly("a is valid but was rejected");
  }

  @Test
  void aDeadLetterWithoutAKeyIsRecognizedByItsValue() {
    ledger.sentBadWithoutKey("a", BAD);
    ledger.rejection(null, BAD.clone());
    assertThat(ledger.isClean()).isTrue();
    ledger.rejection(null, new byte[] {7});
    assertThat(ledger.problems(9)).containsExactly("a dead letter without a key was never sent");
  }

  @Test
  void aRecordTooLargeForADeadLetterLosesItsValueThere() {
    ledger.sentTooLarge("a");
    ledger.rejection("a", new byte[0]);
    assertThat(ledger.isClean()).isTrue();
  }

  @Test
  void aTombstoneHasNoOutcome() {
    ledger.sentTombstone("a");
    assertThat(ledger.tombstones()).isEqualTo(1);
    assertThat(ledger.isClean()).isTrue();
    ledger.rejection("a", BAD);
    assertThat(ledger.problems(9)).containsExactly("a is a tombstone but has an outcome");
  }

  @Test
  void theJobsOwnCountsMustAddUp() {
    sendThree();
    ledger.completion(answer("a", "hello"));
    ledger.rejection("c", BAD);
    assertThat(ledger.reconciles()).isFalse();
    Throughput report = Samples.window(0, 1000, 5, 1);
    ledger.throughput(report);
    assertThat(ledger.reconciles()).isFalse();
    report.setRequests(0);
    report.setRejections(1);
    ledger.throughput(report);
    assertThat(ledger.reconciles()).isTrue();
    assertThat(ledger.counts()).isEqualTo("throughput topic: completed 1, rejected 1");
  }
}
