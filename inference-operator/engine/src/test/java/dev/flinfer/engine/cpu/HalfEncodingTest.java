package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Panels.WIDTH;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

final class HalfEncodingTest {
  private static final int SIXTY_FOUR = Float.floatToFloat16(64);
  private static final int INFINITY = Float.floatToFloat16(Float.POSITIVE_INFINITY);

  @Test
  void halvesBelow64KeepTheirValuesAndAreNormal() {
    short[] halves = halves(SIXTY_FOUR);
    short[] packed = halves.clone();
    float factor = HalfEncoding.F16.normalize(packed, packed.length);
    for (short half : packed) {
      float value = Math.abs(Float.float16ToFloat(half));
      assertThat(value == 0 || value >= 0x1p-14f).as("half %x", half).isTrue();
    }
    assertUnpacked(packed, factor, halves);
  }

  @Test
  void aLargerHalfLeavesAllAsTheyAre() {
    short[] halves = halves(INFINITY);
    short[] packed = halves.clone();
    float factor = HalfEncoding.F16.normalize(packed, packed.length);
    assertThat(packed).isEqualTo(halves);
    assertUnpacked(packed, factor, halves);
  }

  @Test
  void sixtyFourIsTooLarge() {
    short[] packed = {1, Float.floatToFloat16(64)};
    assertThat(HalfEncoding.F16.normalize(packed, 2)).isEqualTo(0x1p112f);
    assertThat(packed).containsExactly(1, Float.floatToFloat16(64));
  }

  /** All of a smaller size than {@code end}, of both signs. */
  private static short[] halves(int end) {
    short[] halves = new short[2 * end];
    for (int i = 0; i < end; i++) {
      halves[2 * i] = (short) i;
      halves[2 * i + 1] = (short) (i | 0x8000);
    }
    return halves;
  }

  private static void assertUnpacked(short[] packed, float factor, short[] halves) {
    Tile tile = Tile.LOCAL.get();
    tile.depth = 1;
    tile.storedAt = 0;
    tile.factor = factor;
    tile.wide = tile.own;
    try (Arena arena = Arena.ofConfined()) {
      for (int from = 0; from < packed.length; from += WIDTH) {
        MemorySegment bits = arena.allocate(WIDTH * 2, 64);
        int count = Math.min(WIDTH, packed.length - from);
        MemorySegment.copy(packed, from, bits, ValueLayout.JAVA_SHORT, 0, count);
        tile.stored = bits;
        new F16Kernel().unpack(tile);
        for (int i = 0; i < count; i++) {
          float value = tile.wide.getAtIndex(ValueLayout.JAVA_FLOAT, i);
          int expected = Float.floatToRawIntBits(Float.float16ToFloat(halves[from + i]));
          assertThat(Float.floatToRawIntBits(value)).isEqualTo(expected);
        }
      }
    }
  }
}
