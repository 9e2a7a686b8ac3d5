package dev.flinfer.cli.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.cli.RecordedConsole;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class StatusPrinterTest {
  private final RecordedConsole recorded = new RecordedConsole();

  private static JobProgress progress(long answered) {
    return new JobProgress(answered, 12.34, OptionalLong.of(5), 3, 0, 0);
  }

  @Test
  void aLineSaysHowFarTheJobIsAndFitsATerminal() {
    assertThat(progress(1234).line()).isEqualTo("1,234 answered, 12/s, 5 waiting, 3 in flight");
    assertThat(new JobProgress(0, 0, OptionalLong.empty(), 0, 0, 0).line())
        .isEqualTo("0 answered, 0.0/s, ? waiting, 0 in flight");
    assertThat(new JobProgress(12_345, 213.4, OptionalLong.of(1024), 64, 3, 2).line())
        .isEqualTo("12,345 answered, 213/s, 1,024 waiting, 64 in flight, 3 rejected, 2 restarts")
        .hasSizeLessThan(80);
  }

  @Test
  void aLineThatIsTooLongForATerminalIsCut() {
    StatusPrinter status = new StatusPrinter(recorded.console(true));
    recorded.advanceMillis(1000);
    status.show(new JobProgress(99_999_999, 9999, OptionalLong.of(9_999_999), 1024, 99_999, 100));

    assertThat(recorded.err().replaceAll("\\r|\033\\[K", "")).hasSize(79);
  }

  @Test
  void aTerminalShowsOneLineThatIsRewritten() {
    StatusPrinter status = new StatusPrinter(recorded.console(true));
    status.show(progress(1));
    recorded.advanceMillis(1000);
    status.show(progress(2));
    recorded.advanceMillis(500);
    status.show(progress(3));
    status.say("done");

    assertThat(recorded.err())
        .isEqualTo("\r2 answered, 12/s, 5 waiting, 3 in flight\033[K\r\033[Kdone\n");
  }

  @Test
  void elsewhereALineIsPrintedNowAndThenIfItChanged() {
    StatusPrinter status = new StatusPrinter(recorded.console(false));
    status.show(progress(1));
    recorded.advanceMillis(30_000);
    status.show(progress(1));
    recorded.advanceMillis(30_000);
    status.show(progress(1));
    assertThat(recorded.err()).isEqualTo("flinfer: " + progress(1).line() + "\n");

    recorded.advanceMillis(570_000);
    status.show(progress(1));
    assertThat(recorded.err().lines()).hasSize(2);
  }

  @Test
  void repeatedFailuresAreToldOnceAMinuteWithTheirNumber() {
    StatusPrinter status = new StatusPrinter(recorded.console(false));
    status.failed("no broker");
    assertThat(recorded.err()).isEqualTo("flinfer: the job failed and restarts: no broker\n");

    for (int i = 0; i < 3; i++) {
      recorded.advanceMillis(10_000);
      status.failed("no leader");
    }
    assertThat(recorded.err().lines()).hasSize(1);
    recorded.advanceMillis(30_000);
    status.show(progress(1));

    assertThat(recorded.err())
        .contains("flinfer: the job failed 3 times in 1 min 0 s and restarts: no leader\n");
  }
}
