package dev.flinfer.engine.device;

import static dev.flinfer.engine.EngineOption.CPU_PRODUCTS;
import static dev.flinfer.engine.EngineOption.KV_CACHE_DTYPE;
import static dev.flinfer.engine.EngineOption.KV_CACHE_MEMORY;
import static dev.flinfer.engine.EngineOption.MAX_MODEL_LEN;
import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;
import static dev.flinfer.engine.EngineOption.MAX_NUM_SEQS;
import static dev.flinfer.engine.EngineOption.MODEL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.CpuProducts;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.KvCacheDtype;
import dev.flinfer.engine.OptionNames;
import dev.flinfer.engine.model.RandomPhi;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The fake plan: 100 kB of weights, 25 kB in q8_0; 100 bytes a batched token; 1 KiB a block. */
final class DeviceFitTest {
  private static final EngineOptions OPTIONS =
      EngineOptions.builder("model")
          .set(MAX_NUM_SEQS, 4)
          .set(MAX_NUM_BATCHED_TOKENS, 128)
          .set(MAX_MODEL_LEN, 2048)
          .set(KV_CACHE_DTYPE, KvCacheDtype.F32)
          .build();

  private static int kvBlocks(long memory, EngineOptions options) {
    DeviceInfo device = FakeBackend.device("opencl:0", DeviceInfo.Kind.GPU, memory);
    return new DeviceFit(new FakeBackend(device), device, RandomPhi.config("phi-2"), null)
        .kvBlocks(options);
  }

  @Test
  void takesWhatAllSequencesCanUse() {
    assertThat(kvBlocks(1 << 20, OPTIONS)).isEqualTo(4 * 2048 / 16);
  }

  @Test
  void takesWhatIsLeftWhereThatIsLess() {
    // 95 % of 400,000 without 112,800.
    assertThat(kvBlocks(400_000, OPTIONS)).isEqualTo(267_200 / 1024);
  }

  @Test
  void takesWhatItIsGivenIfThereIsRoom() {
    EngineOptions given = OPTIONS.toBuilder().set(KV_CACHE_MEMORY, 200L << 10).build();
    assertThat(kvBlocks(400_000, given)).isEqualTo(200);
    assertThatThrownBy(() -> kvBlocks(300_000, given))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "kv_cache_memory is 204800 bytes; device opencl:0 has 172200 bytes left beside 97.7 KiB"
                + " of weights and 12.5 KiB of activations");
    assertThat(kvBlocks(1 << 21, OPTIONS.toBuilder().set(KV_CACHE_MEMORY, 1L << 20).build()))
        .as("at most what one allocation holds")
        .isEqualTo(1000);
  }

  @Test
  void saysWhatWouldFit() {
    assertThatThrownBy(() -> kvBlocks(240_000, OPTIONS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "the model does not fit device opencl:0 (Fake GPU): weights 97.7 KiB, activations 12.5"
                + " KiB, keys and values of one sequence of max_model_len 2048 128.0 KiB; the"
                + " largest allocation 48.8 KiB. Of its 234.4 KiB of memory 222.7 KiB can be used,"
                + " 117.2 KiB in one allocation, which holds 1000 KV blocks. It fits with weights"
                + " q8_0, or with max_model_len 1024");
  }

  @Test
  void proposesAllChangesTogetherWhereOneIsNotEnough() {
    EngineOptions many =
        OPTIONS.toBuilder().set(MAX_NUM_BATCHED_TOKENS, 2000).set(MAX_MODEL_LEN, 256).build();
    assertThatThrownBy(() -> kvBlocks(60_000, many))
        .hasMessageEndingWith(". It fits with weights q8_0 and max_num_batched_tokens 64");
  }

  @Test
  void proposesOptionsAsTheCallerNamesThem() {
    EngineOptions flinks =
        EngineOptions.builder(new OptionNames("flinfer.", '-', Map.of()))
            .set(MODEL, "model")
            .set(MAX_NUM_SEQS, 4)
            .set(MAX_MODEL_LEN, 2048)
            .set(KV_CACHE_DTYPE, KvCacheDtype.F32)
            .build();
    assertThatThrownBy(() -> kvBlocks(260_000, flinks))
        .hasMessageContaining("one sequence of flinfer.max-model-len 2048 128.0 KiB")
        .hasMessageEndingWith(
            ". It fits with flinfer.weights q8_0, or with flinfer.max-num-batched-tokens 64, or with"
                + " flinfer.max-model-len 1024");
    EngineOptions given = flinks.toBuilder().set(KV_CACHE_MEMORY, 1L).build();
    assertThatThrownBy(() -> kvBlocks(400_000, given))
        .hasMessage(
            "flinfer.kv-cache-memory is 1 bytes, room for 0 tokens; one sequence of"
                + " flinfer.max-model-len 2048 needs 131072 bytes. Give it more, or lower"
                + " flinfer.max-model-len");
  }

  @Test
  void proposesNoWeightsThatOneDnnHasNot() {
    EngineOptions oneDnn = OPTIONS.toBuilder().set(CPU_PRODUCTS, CpuProducts.ONEDNN).build();
    assertThatThrownBy(() -> kvBlocks(240_000, oneDnn))
        .hasMessageEndingWith(". It fits with max_model_len 1024");
  }

  @Test
  void proposesAnotherDeviceWhereNothingHelps() {
    assertThatThrownBy(() -> kvBlocks(30_000, OPTIONS))
        .hasMessageEndingWith(". No options make it fit: take another device, or cpu");
  }

  @Test
  void anAllocationMayBeTooLargeThoughTheMemoryIsNot() {
    DeviceInfo device =
        new DeviceInfo(
            "opencl:0",
            "Fake GPU",
            DeviceInfo.Kind.GPU,
            1 << 30,
            49_999,
            FakeBackend.device("x", DeviceInfo.Kind.GPU, 1).weightTypes(),
            FakeBackend.device("x", DeviceInfo.Kind.GPU, 1).kvCacheTypes());
    DeviceFit fit = new DeviceFit(new FakeBackend(device), device, RandomPhi.config("phi-2"), null);
    assertThatThrownBy(() -> fit.kvBlocks(OPTIONS))
        .hasMessageContaining("the largest allocation 48.8 KiB")
        .hasMessageEndingWith(". It fits with weights q8_0");
  }
}
