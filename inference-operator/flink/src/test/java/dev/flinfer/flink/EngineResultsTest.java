package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.GenerationListener;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.util.function.ThrowingRunnable;
import org.junit.jupiter.api.Test;

final class EngineResultsTest {
  private final Mails mails = new Mails();
  private final List<RuntimeException> taken = new ArrayList<>();
  private final EngineResults results = new EngineResults(mails, 3, this::takeAll);
  private final GenerationListener listener =
      results.listener(
          InFlight.arrived(TestRecords.record(0, "a:hello:1"), null), CompilationWatch.NONE);

  private void takeAll() {
    for (EngineResults.Result r = results.poll(); r != null; r = results.poll()) {
      taken.add(r.failure());
    }
  }

  @Test
  void manyResultsSendOneMail() throws Exception {
    EngineException first = new EngineException("1");
    EngineException second = new EngineException("2");
    listener.onFailure(first);
    listener.onFailure(second);
    assertThat(mails.waiting).hasSize(1);

    mails.waiting.remove(0).run();
    assertThat(taken).containsExactly(first, second);
  }

  @Test
  void aResultAfterTheMailHasRunSendsAnother() throws Exception {
    listener.onFailure(new EngineException("1"));
    mails.waiting.remove(0).run();
    listener.onFailure(new EngineException("2"));
    assertThat(mails.waiting).hasSize(1);
  }

  @Test
  void anEndedTaskThrowsNothingIntoTheEnginesThread() {
    mails.ended = true;
    listener.onFailure(new EngineException("1"));
    assertThat(mails.waiting).isEmpty();
  }

  /** Keeps its mails until the test runs them. */
  private static final class Mails implements MailboxExecutor {
    final List<ThrowingRunnable<? extends Exception>> waiting = new ArrayList<>();
    boolean ended;

    @Override
    public void execute(
        MailOptions options,
        ThrowingRunnable<? extends Exception> mail,
        String description,
        Object... arguments) {
      if (ended) {
        throw new RejectedExecutionException("closed");
      }
      waiting.add(mail);
    }

    @Override
    public void yield() {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean tryYield() {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean shouldInterrupt() {
      throw new UnsupportedOperationException();
    }
  }
}
