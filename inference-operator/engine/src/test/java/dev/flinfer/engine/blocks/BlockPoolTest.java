package dev.flinfer.engine.blocks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.device.ForwardPass;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class BlockPoolTest {
  private final BlockPool pool = new BlockPool(3);

  @Test
  void aBlockIsFoundByTheContentBeforeItAndItsTokens() {
    int first = pool.allocate();
    int second = pool.allocate();
    long a = pool.seal(first, BlockPool.EMPTY, tokens(1));
    long b = pool.seal(second, a, tokens(2));

    assertThat(pool.find(BlockPool.EMPTY, tokens(1))).isEqualTo(first);
    assertThat(pool.find(a, tokens(2))).isEqualTo(second);
    assertThat(pool.find(BlockPool.EMPTY, tokens(2))).isEqualTo(-1);
    assertThat(pool.find(b, tokens(2))).isEqualTo(-1);
  }

  @Test
  void aReleasedBlockIsFoundUntilItsMemoryIsNeeded() {
    int kept = pool.allocate();
    pool.seal(kept, BlockPool.EMPTY, tokens(1));
    pool.release(kept);
    assertThat(pool.used()).isZero();

    assertThat(pool.find(BlockPool.EMPTY, tokens(1))).isEqualTo(kept);
    assertThat(pool.used()).isEqualTo(1);
    pool.release(kept);
    for (int i = 0; i < 3; i++) {
      pool.allocate();
    }
    assertThat(pool.find(BlockPool.EMPTY, tokens(1))).isEqualTo(-1);
  }

  @Test
  void theLeastRecentlyUsedBlockIsReusedFirst() {
    for (int i = 0; i < 3; i++) {
      pool.seal(pool.allocate(), BlockPool.EMPTY, tokens(i));
    }
    pool.release(0);
    pool.release(1);
    pool.release(2);
    pool.release(pool.find(BlockPool.EMPTY, tokens(0)));

    assertThat(pool.allocate()).isEqualTo(1);
    assertThat(pool.find(BlockPool.EMPTY, tokens(0))).isZero();
  }

  @Test
  void aSharedBlockStaysInUseUntilItsLastHolderReleasesIt() {
    int block = pool.allocate();
    pool.seal(block, BlockPool.EMPTY, tokens(1));
    pool.find(BlockPool.EMPTY, tokens(1));

    pool.release(block);
    assertThat(pool.used()).isEqualTo(1);
    pool.release(block);
    assertThat(pool.used()).isZero();
    assertThatThrownBy(() -> pool.release(block))
        .hasMessage("KV block 0 is released but has no holder");
  }

  @Test
  void theSameContentComputedTwiceHasOneNumber() {
    int one = pool.allocate();
    int other = pool.allocate();
    long number = pool.seal(one, BlockPool.EMPTY, tokens(1));

    assertThat(pool.seal(other, BlockPool.EMPTY, tokens(1))).isEqualTo(number);
    pool.release(other);
    assertThat(pool.find(BlockPool.EMPTY, tokens(1))).isEqualTo(one);
  }

  private static int[] tokens(int token) {
    int[] tokens = new int[ForwardPass.BLOCK_SIZE];
    Arrays.fill(tokens, token);
    return tokens;
  }
}
