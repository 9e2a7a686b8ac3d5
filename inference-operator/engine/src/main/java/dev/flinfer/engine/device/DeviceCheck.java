package dev.flinfer.engine.device;

import static dev.flinfer.engine.EngineOption.KV_CACHE_MEMORY;
import static dev.flinfer.engine.EngineOption.MAX_MODEL_LEN;
import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;
import static dev.flinfer.engine.EngineOption.MAX_NUM_SEQS;
import static dev.flinfer.engine.EngineOption.WEIGHTS;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.Weights;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import java.util.Arrays;
import java.util.Locale;

/**
 * Compares a device's logits with the CPU's before the device is trusted.
 *
 * <p>It runs the model's first two layers, its embedding and its output, with the model's own
 * weights. That runs all kernels in the sizes in which they are used, but takes only a tenth of the
 * memory of a model of 32 layers, and only until the comparison is done.
 *
 * @param device the device of {@code backend} to check
 * @param cpuBackend the backend that it is compared with
 */
record DeviceCheck(Backend backend, DeviceInfo device, Backend cpuBackend) {
  private static final int LAYERS = 2;

  /** A prompt that extends beyond a KV block, and one more token, computed by itself. */
  private static final int TOKENS = ForwardPass.BLOCK_SIZE + 5;

  /**
   * How far a logit may be from the CPU's, in standard deviations of all logits. Another summation
   * order alone causes 4e-6 (PoCL, demo model); the rest allows for devices that round to fp16 in
   * between.
   */
  static final double TOLERANCE = 0.02;

  /**
   * The result of a passed check.
   *
   * @param difference the largest difference of a logit
   * @param limit the largest difference that is allowed
   */
  record Result(double difference, double limit) {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "device check passed: logits within %.2g of the CPU's, the limit is %.2g",
          difference,
          limit);
    }
  }

  /**
   * Runs the check.
   *
   * @param given the options, with types that the device has
   * @throws EngineException if the device fails or computes other logits, with the values
   */
  Result run(PhiConfig config, PhiWeights weights, EngineOptions given) {
    PhiConfig few = few(config);
    PhiWeights first =
        new PhiWeights(
            weights.embedTokens(),
            weights.layers().subList(0, few.numHiddenLayers()),
            weights.finalNorm(),
            weights.lmHead());
    int tokens = Math.min(TOKENS, given.get(MAX_MODEL_LEN));
    EngineOptions options =
        given.toBuilder()
            .set(MAX_NUM_SEQS, 1)
            .set(MAX_NUM_BATCHED_TOKENS, TOKENS)
            .set(MAX_MODEL_LEN, tokens)
            .set(KV_CACHE_MEMORY, 0L)
            .build();
    float[] expected;
    DeviceInfo cpu = cpuBackend.devices().get(0);
    EngineOptions sameTypes = onCpu(cpu, options, backend.plan(device, few, first, options));
    try (ForwardPass reference = open(cpuBackend, cpu, few, first, sameTypes)) {
      expected = logits(reference, tokens);
    }
    float[] actual;
    try (ForwardPass tested = open(backend, device, few, first, options)) {
      actual = logits(tested, tokens);
    }
    return compare(expected, actual);
  }

  private static ForwardPass open(
      Backend backend,
      DeviceInfo device,
      PhiConfig config,
      PhiWeights weights,
      EngineOptions options) {
    return backend.open(
        device, config, weights, options, ForwardPass.blocksFor(options.get(MAX_MODEL_LEN)));
  }

  private static PhiConfig few(PhiConfig config) {
    return new PhiConfig(
        config.hiddenSize(),
        config.intermediateSize(),
        Math.min(LAYERS, config.numHiddenLayers()),
        config.numAttentionHeads(),
        config.rotaryDim(),
        config.vocabSize(),
        config.maxPositionEmbeddings(),
        config.ropeTheta(),
        config.layerNormEps(),
        config.eosTokenIds());
  }

  /** Options with the weight type that the device rounds to, so that rounding does not differ. */
  private static EngineOptions onCpu(DeviceInfo cpu, EngineOptions options, DevicePlan plan) {
    DType type = plan.weightType();
    boolean has = type != null && cpu.weightTypes().contains(type);
    return options.toBuilder().set(WEIGHTS, has ? Weights.of(type) : Weights.AUTO).build();
  }

  /**
   * The logits of the first token, the last of the prompt and the token after it: (3, vocab_size).
   */
  private static float[] logits(ForwardPass forward, int count) {
    int vocab = forward.vocabSize();
    int[] tokens = new int[count];
    int[] positions = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = (int) ((i * 2_654_435_761L + 17) % vocab);
      positions[i] = i;
    }
    int[] blocks = new int[ForwardPass.blocksFor(count)];
    for (int i = 0; i < blocks.length; i++) {
      blocks[i] = blocks.length - 1 - i;
    }
    int[][] table = {blocks};
    float[] logits = new float[3 * vocab];
    int last = count - 1;
    if (last > 0) {
      float[] prompt = new float[2 * vocab];
      int[] logitRows = last == 1 ? new int[] {0} : new int[] {0, last - 1};
      forward.forward(
          new StepBuffers(
              Arrays.copyOf(tokens, last),
              Arrays.copyOf(positions, last),
              new int[last],
              table,
              logitRows),
          prompt);
      System.arraycopy(prompt, 0, logits, 0, prompt.length);
    }
    float[] next = new float[vocab];
    forward.forward(
        new StepBuffers(
            new int[] {tokens[last]}, new int[] {last}, new int[1], table, new int[] {0}),
        next);
    System.arraycopy(next, 0, logits, 2 * vocab, vocab);
    return logits;
  }

  private Result compare(float[] expected, float[] actual) {
    double sum = 0;
    double squares = 0;
    double difference = 0;
    int worst = 0;
    for (int i = 0; i < expected.length; i++) {
      sum += expected[i];
      squares += (double) expected[i] * expected[i];
      double distance = Math.abs((double) actual[i] - expected[i]);
      if (Double.isNaN(distance)) {
        distance = Double.POSITIVE_INFINITY;
      }
      if (distance > difference) {
        difference = distance;
        worst = i;
      }
    }
    double mean = sum / expected.length;
    double limit =
        TOLERANCE * Math.sqrt(Math.max(0, squares / expected.length - mean * mean)) + 1e-6;
    if (difference > limit) {
      throw new EngineException(
          String.format(
              Locale.ROOT,
              "device %s (%s) fails the device check: a logit is %s, the CPU's is %s; the limit"
                  + " of the difference is %.3g. Use another device, or cpu",
              device.id(),
              device.name(),
              actual[worst],
              expected[worst],
              limit));
    }
    return new Result(difference, limit);
  }
}
