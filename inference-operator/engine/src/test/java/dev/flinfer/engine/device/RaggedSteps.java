package dev.flinfer.engine.device;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Runs prompts through a forward pass in steps of several shapes. */
final class RaggedSteps {
  private RaggedSteps() {}

  /** Runs all prompts at once; each step computes random chunks of random prompts. */
  static float[][][] together(
      ForwardPass forward, List<int[]> prompts, int maxRows, Random random) {
    List<Integer> blocks =
        new ArrayList<>(IntStream.range(0, forward.numKvBlocks()).boxed().toList());
    Collections.shuffle(blocks, random);
    int[][] tables = new int[prompts.size()][];
    int[] done = new int[prompts.size()];
    float[][][] result = new float[prompts.size()][][];
    for (int i = 0; i < tables.length; i++) {
      int length = prompts.get(i).length;
      tables[i] = blocks.subList(i * 4, i * 4 + 4).stream().mapToInt(b -> b).toArray();
      result[i] = new float[length][];
    }
    float[] logits = new float[maxRows * forward.vocabSize()];
    boolean more = true;
    while (more) {
      int[] counts = new int[tables.length];
      int budget = 1 + random.nextInt(maxRows);
      for (int i = 0; i < counts.length; i++) {
        counts[i] = Math.min(budget, random.nextInt(prompts.get(i).length - done[i] + 1));
        budget -= counts[i];
      }
      StepBuffers plan = plan(prompts, tables, done, counts);
      forward.forward(plan, logits);
      int row = 0;
      more = false;
      for (int i = 0; i < counts.length; i++) {
        for (int t = 0; t < counts[i]; t++, row++) {
          result[i][done[i] + t] = row(logits, row, forward.vocabSize());
        }
        done[i] += counts[i];
        more |= done[i] < prompts.get(i).length;
      }
    }
    return result;
  }

  static StepBuffers plan(List<int[]> prompts, int[][] tables, int[] done, int[] counts) {
    int rows = Arrays.stream(counts).sum();
    StepBuffers plan =
        new StepBuffers(
            new int[rows],
            new int[rows],
            new int[rows],
            tables,
            IntStream.range(0, rows).toArray());
    int row = 0;
    for (int i = 0; i < counts.length; i++) {
      for (int t = 0; t < counts[i]; t++, row++) {
        plan.tokens()[row] = prompts.get(i)[done[i] + t];
        plan.positions()[row] = done[i] + t;
        plan.sequences()[row] = i;
      }
    }
    return plan;
  }

  /** Runs one prompt by itself, with its blocks from {@code firstBlock} on. */
  record Alone(ForwardPass forward, int[] tokens, int firstBlock) {
    /** The logits after every token, with {@code chunk} tokens per step. */
    float[][] all(int chunk) {
      int[][] tables = {IntStream.range(firstBlock, firstBlock + 8).toArray()};
      float[][] result = new float[tokens.length][];
      float[] logits = new float[chunk * forward.vocabSize()];
      for (int from = 0; from < tokens.length; from += chunk) {
        int count = Math.min(chunk, tokens.length - from);
        forward.forward(plan(List.of(tokens), tables, new int[] {from}, new int[] {count}), logits);
        for (int t = 0; t < count; t++) {
          result[from + t] = row(logits, t, forward.vocabSize());
        }
      }
      return result;
    }
  }

  static float[] row(float[] logits, int row, int vocab) {
    return Arrays.copyOfRange(logits, row * vocab, (row + 1) * vocab);
  }
}
