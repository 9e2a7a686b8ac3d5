package dev.flinfer.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.schema.CompletionRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SharedEnginesTest {
  private static final EngineOptions ONE = EngineOptions.of(Path.of("one"));
  private static final EngineOptions OTHER = EngineOptions.of(Path.of("other"));

  private final List<FakeEngine> opened = new ArrayList<>();
  private final SharedEngines engines =
      new SharedEngines(
          options -> {
            opened.add(new FakeEngine());
            return opened.get(opened.size() - 1);
          });

  @Test
  void equalOptionsShareOneEngineAndTheLastUserClosesIt() {
    LlmEngine first = engines.acquire(ONE);
    LlmEngine second = engines.acquire(EngineOptions.of(Path.of("one")));
    LlmEngine other = engines.acquire(OTHER);
    assertThat(opened).hasSize(2);

    first.close();
    first.close();
    assertThat(opened.get(0).closed).isFalse();
    second.close();
    assertThat(opened.get(0).closed).isTrue();
    assertThat(opened.get(1).closed).isFalse();
    other.close();
  }

  @Test
  void anEngineThatFailedIsReplacedWhileOthersStillHoldIt() {
    LlmEngine before = engines.acquire(ONE);
    opened.get(0).failed = true;
    LlmEngine after = engines.acquire(ONE);
    assertThat(opened).hasSize(2);

    before.close();
    assertThat(opened.get(0).closed).isTrue();
    assertThat(opened.get(1).closed).isFalse();
    assertThat(engines.acquire(ONE).failed()).isFalse();
    assertThat(opened).hasSize(2);
    after.close();
  }

  private static final class FakeEngine implements LlmEngine {
    boolean failed;
    boolean closed;

    @Override
    public Generation submit(
        CompletionRequest request, GeneratedTokens resumeFrom, GenerationListener listener) {
      throw new UnsupportedOperationException();
    }

    @Override
    public ModelInfo model() {
      throw new UnsupportedOperationException();
    }

    @Override
    public EngineStats stats() {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean failed() {
      return failed;
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
