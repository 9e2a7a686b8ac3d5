package dev.flinfer.engine.cpu;

import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.RandomPhi;
import java.lang.foreign.Arena;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What is done to one token of Phi-2 between the products of a layer, on one thread. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class AttentionBenchmark {
  private static final PhiConfig CONFIG = RandomPhi.config("phi-2");

  /** Tokens seen, the own one included. */
  @Param({"32", "256", "2048"})
  private int context;

  @Param({"F32", "F16", "Q8_0"})
  private KvCacheType type;

  private final Arena arena = Arena.ofShared();
  private final int hidden = CONFIG.hiddenSize();
  private final float[] projected = new float[3 * hidden + CONFIG.intermediateSize()];
  private final float[] mixed = new float[hidden + CONFIG.intermediateSize()];
  private final float[] norm = new float[hidden];
  private final float[] normed = new float[hidden];
  private KvPages pages;
  private CpuAttention attention;
  private int[] table;

  @Setup
  public void fill() {
    int blocks = Lanes.roundUp(context, ForwardPass.BLOCK_SIZE) / ForwardPass.BLOCK_SIZE;
    pages = new KvPages(CONFIG, type, blocks, arena);
    attention = new CpuAttention(CONFIG, pages);
    table = IntStream.range(0, blocks).toArray();
    Random numbers = new Random(1);
    for (int position = 0; position < context; position++) {
      for (int i = 0; i < projected.length; i++) {
        projected[i] = (float) numbers.nextGaussian();
      }
      write(position);
    }
  }

  private void write(int position) {
    int block = table[position / ForwardPass.BLOCK_SIZE];
    pages.write(0, block, position, projected, hidden, 2 * hidden);
  }

  @Benchmark
  public float[] attention() {
    for (int head = 0; head < CONFIG.numAttentionHeads(); head++) {
      int at = head * CONFIG.headDim();
      attention.attend(0, head, table, context - 1, projected, at, mixed, at);
    }
    return mixed;
  }

  @Benchmark
  public void keysAndValues() {
    write(context - 1);
  }

  @Benchmark
  public float[] gelu() {
    Elementwise.gelu(projected, 3 * hidden, CONFIG.intermediateSize(), mixed, hidden);
    return mixed;
  }

  @Benchmark
  public float[] layerNorm() {
    Elementwise.layerNorm(projected, 0, norm, norm, CONFIG.layerNormEps(), normed, 0);
    return normed;
  }

  @TearDown
  public void close() {
    arena.close();
  }
}
