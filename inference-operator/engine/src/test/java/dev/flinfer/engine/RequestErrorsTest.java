package dev.flinfer.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RequestErrorsTest {
  private int tries;

  @Test
  void aStackOverflowIsTheRequestsAtOnce() {
    StackOverflowError error = new StackOverflowError();

    assertThatThrownBy(() -> confine(fails(error, 9)))
        .isInstanceOf(IllegalStateException.class)
        .hasCause(error);
    assertThat(tries).isEqualTo(1);
  }

  @Test
  void aHeapThatIsFullForAMomentFailsNoRequest() {
    assertThat(confine(fails(new OutOfMemoryError("Java heap space"), 2))).isEqualTo("done");
    assertThat(tries).isEqualTo(3);
  }

  @Test
  void aRequestThatIsTooLargeForTheHeapFailsAfterThreeTries() {
    Supplier<String> tooLarge =
        () -> {
          tries++;
          return "" + new long[Integer.MAX_VALUE].length; // more than any array may have
        };

    assertThatThrownBy(() -> confine(tooLarge))
        .isInstanceOf(IllegalStateException.class)
        .hasCauseInstanceOf(OutOfMemoryError.class);
    assertThat(tries).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Metaspace",
        "Compressed class space",
        "unable to create native thread: possibly out of memory or process/resource limits reached",
        "Cannot reserve 8192 bytes of direct buffer memory (allocated: 9, limit: 9)"
      })
  void memoryOutsideTheHeapIsNotTheRequests(String message) {
    OutOfMemoryError error = new OutOfMemoryError(message);

    assertThatThrownBy(() -> confine(fails(error, 9))).isSameAs(error);
    assertThat(tries).isEqualTo(1);
  }

  @Test
  void aMissingClassIsNotTheRequests() {
    NoClassDefFoundError error = new NoClassDefFoundError("a/B");

    assertThatThrownBy(() -> confine(fails(error, 9))).isSameAs(error);
  }

  private Supplier<String> fails(Error error, int times) {
    return () -> {
      if (++tries <= times) {
        throw error;
      }
      return "done";
    };
  }

  private static String confine(Supplier<String> work) {
    return RequestErrors.confine(work, IllegalStateException::new);
  }
}
