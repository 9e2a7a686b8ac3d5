package dev.flinfer.engine.device;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import java.util.Arrays;
import java.util.Locale;

/**
 * Compares a device's logits with the processor's before the device is trusted.
 *
 * <p>It runs the model's first two layers, its embedding and its output, with the model's own
 * weights: all kernels in the sizes that they are used in, yet of a model of 32 layers only a tenth
 * of its memory a second time, and only until the comparison is done.
 *
 * @param device of {@code backend}, to be checked
 * @param processor the backend that it is compared with
 */
record DeviceCheck(Backend backend, DeviceInfo device, Backend processor) {
  private static final int LAYERS = 2;

  /** A prompt over the edge of a KV block, and one token more, computed by itself. */
  private static final int TOKENS = ForwardPass.BLOCK_SIZE + 5;

  /**
   * How far a logit may be from the processor's, in standard deviations of all logits. Another
   * order of additions makes 4e-6 (PoCL, demo model); the rest is room for devices that round to
   * fp16 in between.
   */
  static final double TOLERANCE = 0.02;

  /**
   * How far apart they were.
   *
   * @param difference the largest difference of a logit
   * @param limit what it may be
   */
  record Result(double difference, double limit) {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "self-test passed: logits within %.2g of the processor's, the limit is %.2g",
          difference,
          limit);
    }
  }

  /**
   * Runs it.
   *
   * @param given with types that the device has
   * @throws EngineException if the device fails or computes something else, with the numbers
   */
  Result run(PhiConfig config, PhiWeights weights, EngineOptions given) {
    PhiConfig few = few(config);
    PhiWeights first =
        new PhiWeights(
            weights.embedTokens(),
            weights.layers().subList(0, few.numHiddenLayers()),
            weights.finalNorm(),
            weights.lmHead());
    int tokens = Math.min(TOKENS, given.maxModelLen());
    EngineOptions options =
        given.toBuilder()
            .maxNumSeqs(1)
            .maxNumBatchedTokens(TOKENS)
            .maxModelLen(tokens)
            .kvCacheBytes(0)
            .build();
    float[] expected;
    DeviceInfo cpu = processor.devices().get(0);
    EngineOptions sameTypes = onCpu(cpu, options, backend.plan(device, few, first, options));
    try (ForwardPass reference = open(processor, cpu, few, first, sameTypes)) {
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
        device, config, weights, options, ForwardPass.blocksFor(options.maxModelLen()));
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

  /** In the type that the device rounds to, so that its rounding is no difference. */
  private static EngineOptions onCpu(DeviceInfo cpu, EngineOptions options, DevicePlan plan) {
    DType type = plan.weightType();
    boolean has = type != null && cpu.weightTypes().contains(type);
    String weights = has ? type.name().toLowerCase(Locale.ROOT) : EngineOptions.AUTO;
    return options.toBuilder().weights(weights).build();
  }

  /** Of the first token, the last of the prompt, and the one after it: (3, vocab_size). */
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
      int[] wanted = last == 1 ? new int[] {0} : new int[] {0, last - 1};
      forward.forward(
          new StepBuffers(
              Arrays.copyOf(tokens, last),
              Arrays.copyOf(positions, last),
              new int[last],
              table,
              wanted),
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
              "device %s (%s) fails its self-test: a logit is %s, the processor's is %s; the limit"
                  + " of the difference is %.3g. Take another device, or cpu",
              device.id(),
              device.name(),
              actual[worst],
              expected[worst],
              limit));
    }
    return new Result(difference, limit);
  }
}
