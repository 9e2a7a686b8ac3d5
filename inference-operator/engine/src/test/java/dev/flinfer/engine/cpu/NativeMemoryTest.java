package dev.flinfer.engine.cpu;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

final class NativeMemoryTest {
  @Test
  void whatTheSystemDoesNotGiveIsNamed() {
    long bytes = 1L << 60;
    try (Arena arena = Arena.ofConfined()) {
      assertThatThrownBy(() -> NativeMemory.allocate(arena, bytes, "KV cache"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(
              "KV cache: the system did not give %,d bytes; free memory, or take a smaller model, weight type or kv_cache_memory"
                  .formatted(bytes));
    }
  }
}
