package dev.flinfer.engine.batching;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.TestOptions;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.StepBuffers;
import dev.flinfer.engine.device.TopLogits;
import dev.flinfer.engine.sampling.TopTokens;
import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.engine.weights.Checkpoint;
import dev.flinfer.engine.weights.Tensor;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.function.IntPredicate;

/**
 * A forward pass whose logits depend on all tokens that its KV blocks hold, so that a missing or
 * damaged token there changes the following ones. It fails on request, halfway: by then it has
 * damaged the keys and values that the step writes.
 */
public final class FaultyForwardPass implements ForwardPass {
  private static final int VOCAB = 256;
  private static final int MAX_LEN = 80;
  private static final int DAMAGED = -77;

  private final int[][] kv; // (blocks, 16)

  /** Decides by the step's number, from 1, and its plan whether it throws. */
  private volatile BiPredicate<Long, StepBuffers> throwing = (step, plan) -> false;

  /** Decides by a row's token whether its logits are NaN. */
  private volatile IntPredicate nan = token -> false;

  private volatile boolean selecting;
  private volatile long steps;
  private volatile boolean closed;

  public FaultyForwardPass(int blocks) {
    kv = new int[blocks][BLOCK_SIZE];
  }

  /** Opens an engine on it with 6 sequences, 24 tokens per step and one token per byte. */
  public static LlmEngine engine(FaultyForwardPass forward, InstantSource clock) {
    EngineOptions options = TestOptions.cpu(Path.of("fake"), 6, 24, 1);
    return new BatchingEngine(
        forward,
        new NoFiles(),
        new ServedModel(
            new ModelInfo("fake", "0", forward.device(), MAX_LEN, VOCAB),
            Tokenizer.ofBytes(),
            Set.of(0)),
        options,
        new EngineClock(clock, System::nanoTime));
  }

  public void throwsWhere(BiPredicate<Long, StepBuffers> when) {
    throwing = when;
  }

  public void nanWhere(IntPredicate token) {
    nan = token;
  }

  public static boolean holds(StepBuffers plan, int token) {
    return Arrays.stream(plan.tokens()).anyMatch(t -> t == token);
  }

  /** From here on only the requested most likely tokens of a row are returned. */
  public void selects() {
    selecting = true;
  }

  long steps() {
    return steps;
  }

  boolean closed() {
    return closed;
  }

  @Override
  public void forward(StepBuffers plan, float[] logits) {
    long step = steps + 1;
    steps = step;
    boolean fails = throwing.test(step, plan);
    for (int row = 0; row < plan.rows(); row++) {
      int position = plan.positions()[row];
      int block = plan.blockTables()[plan.sequences()[row]][position / BLOCK_SIZE];
      kv[block][position % BLOCK_SIZE] = fails ? DAMAGED : plan.tokens()[row];
    }
    if (fails) {
      throw new IllegalStateException("CL_OUT_OF_RESOURCES in step " + step);
    }
    for (int i = 0; i < plan.numLogits(); i++) {
      int row = plan.logitRows()[i];
      Random random = new Random(contentUpTo(plan, row));
      for (int token = 0; token < VOCAB; token++) {
        logits[i * VOCAB + token] =
            nan.test(plan.tokens()[row]) ? Float.NaN : (float) (4 * random.nextGaussian());
      }
    }
  }

  @Override
  public void forward(StepBuffers plan, float[] logits, TopLogits top) {
    forward(plan, logits);
    for (int i = 0; selecting && i < plan.numLogits(); i++) {
      if (top.wanted(i) > 0) {
        select(logits, i, top);
        Arrays.fill(logits, i * VOCAB, (i + 1) * VOCAB, Float.NaN);
      }
    }
  }

  private static void select(float[] logits, int row, TopLogits top) {
    long[] best = TopTokens.of(logits, row * VOCAB, VOCAB, top.wanted(row));
    for (int rank = 0; rank < best.length; rank++) {
      int token = TopTokens.token(best[rank]);
      top.put(row, rank, token, logits[row * VOCAB + token]);
    }
    double sum = 0;
    for (int i = 0; i < VOCAB; i++) {
      sum += Math.exp(logits[row * VOCAB + i] - (double) top.logit(row, 0));
    }
    top.give(row, (float) sum);
  }

  private long contentUpTo(StepBuffers plan, int row) {
    long hash = 1;
    for (int position = 0; position <= plan.positions()[row]; position++) {
      int block = plan.blockTables()[plan.sequences()[row]][position / BLOCK_SIZE];
      hash = hash * 0x9E3779B97F4A7C15L + kv[block][position % BLOCK_SIZE];
      hash ^= hash >>> 29;
    }
    return hash;
  }

  @Override
  public int vocabSize() {
    return VOCAB;
  }

  @Override
  public int numKvBlocks() {
    return kv.length;
  }

  @Override
  public String device() {
    return "a faulty device";
  }

  @Override
  public void close() {
    closed = true;
  }

  /** A model without tensors. */
  private static final class NoFiles implements Checkpoint {
    @Override
    public Tensor get(String name, long... shape) {
      throw new UnsupportedOperationException(name);
    }

    @Override
    public void fingerprint(MessageDigest digest) {}

    @Override
    public void close() {}
  }
}
