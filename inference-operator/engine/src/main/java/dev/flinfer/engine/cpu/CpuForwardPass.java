package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Matrix.Outputs.ADDED_TO;
import static dev.flinfer.engine.cpu.Matrix.Outputs.REPLACED;
import static dev.flinfer.engine.device.HeapArrays.floats;

import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.StepBuffers;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * Phi's forward pass in Java on all cores, activations, keys and values in fp32, weights in the
 * type they are stored in, or all in bf16 or 8-bit integers where oneDNN multiplies.
 *
 * <p>Architecture: "Textbooks Are All You Need II" (arXiv 2309.05463) and Hugging Face's {@code
 * PhiForCausalLM}: attention and MLP of a block both read the same normalized input.
 */
public final class CpuForwardPass implements ForwardPass {
  private final PhiConfig config;
  private final int numKvBlocks;
  private final int maxRows;
  private final Arena arena = Arena.ofShared();
  private final WorkerTeam team;
  private MatrixProducts products;
  private final KvPages pages;
  private final CpuAttention attention;

  private final Tensor embedTokens; // (vocab_size, hidden_size)
  private final List<Layer> layers = new ArrayList<>();
  private final Norm finalNorm;
  private final Matrix lmHead; // (vocab_size, hidden_size)
  private final float[] cos; // (max_position_embeddings, rotary_dim / 2)
  private final float[] sin; // like cos

  // Activations, one row per token.
  private final int hiddenStride;
  private final float[] hidden; // (rows, hidden_size in whole panels)
  private final float[] normed; // (rows, hidden_size)
  private final int projectedStride;
  private final float[] projected; // (rows, q | k | v | fc1)
  private final int mixedStride;
  private final float[] mixed; // (rows, attention | gelu(fc1))
  private float[] output = new float[0]; // (logit rows, vocab_size in whole panels)

  /** {@code weight} and {@code bias}: (hidden_size). */
  private record Norm(float[] weight, float[] bias) {
    static Norm of(PhiWeights.Affine affine) {
      return new Norm(affine.weight().toFloats(), affine.bias().toFloats());
    }
  }

  /**
   * @param in (3 * hidden_size + intermediate_size, hidden_size): q, k, v and fc1
   * @param out (hidden_size, hidden_size + intermediate_size): dense and fc2
   */
  private record Layer(Norm norm, Matrix in, Matrix out) {}

  /**
   * Copies the weights into its own layout; the tensors' files can be closed only after it, because
   * the embedding stays in them.
   *
   * @throws dev.flinfer.engine.weights.WeightFileException if a weight is not finite
   */
  public CpuForwardPass(PhiConfig config, PhiWeights weights, CpuOptions options) {
    this.config = config;
    this.numKvBlocks = options.numKvBlocks();
    this.maxRows = options.maxRows();
    this.team = new WorkerTeam(options.threads());
    this.embedTokens = weights.embedTokens();
    try {
      this.products =
          switch (options.products()) {
            case JAVA -> new JavaProducts(options.weightType(), arena, team);
            case ONEDNN_BF16 -> new DnnlProducts(new DnnlBf16(), arena, team, maxRows);
            case ONEDNN_INT8 -> new DnnlProducts(new DnnlInt8(), arena, team, maxRows);
          };
      this.pages = new KvPages(config, options.kvCacheType(), numKvBlocks, arena);
      this.attention = new CpuAttention(config, pages);
      int half = config.rotaryDim() / 2;
      this.cos = floats("max_position_embeddings", config.maxPositionEmbeddings(), half);
      this.sin = floats("max_position_embeddings", config.maxPositionEmbeddings(), half);
      fillRotary(half);

      requireFinite(embedTokens);
      for (PhiWeights.Layer layer : weights.layers()) {
        layers.add(
            new Layer(
                Norm.of(layer.inputLayernorm()),
                products.stacked(List.of(layer.q(), layer.k(), layer.v(), layer.fc1())),
                products.sideBySide(List.of(layer.dense(), layer.fc2()))));
      }
      this.finalNorm = Norm.of(weights.finalNorm());
      this.lmHead = products.lmHead(weights.lmHead());

      // The widest first, so that an excessive number of rows is refused before the heap is full.
      this.projectedStride = layers.get(0).in().stride();
      this.projected = floats(options.maxRowsOption(), maxRows, projectedStride);
      this.hiddenStride = layers.get(0).out().stride();
      this.hidden = floats(options.maxRowsOption(), maxRows, hiddenStride);
      this.normed = floats(options.maxRowsOption(), maxRows, config.hiddenSize());
      this.mixedStride = config.hiddenSize() + config.intermediateSize();
      this.mixed = floats(options.maxRowsOption(), maxRows, mixedStride);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Bytes that one KV block takes. */
  public static long kvBlockBytes(PhiConfig config, KvCacheType type) {
    return KvPages.blockBytes(config, type);
  }

  /** Checks the only matrix that is not packed; packing checks the others. */
  private void requireFinite(Tensor embedding) {
    team.run(
        config.vocabSize(),
        64,
        (from, to, worker) -> {
          float[] row = new float[config.hiddenSize()];
          for (int token = from; token < to; token++) {
            embedding.copyFiniteTo((long) token * row.length, row);
          }
        });
  }

  private void fillRotary(int half) {
    for (int position = 0; position < config.maxPositionEmbeddings(); position++) {
      for (int i = 0; i < half; i++) {
        double angle = position * Math.pow(config.ropeTheta(), -2.0 * i / config.rotaryDim());
        cos[position * half + i] = (float) Math.cos(angle);
        sin[position * half + i] = (float) Math.sin(angle);
      }
    }
  }

  @Override
  public int vocabSize() {
    return config.vocabSize();
  }

  @Override
  public int numKvBlocks() {
    return numKvBlocks;
  }

  @Override
  public String device() {
    return "cpu (%d threads, %s)".formatted(team.size(), products.name());
  }

  @Override
  public void forward(StepBuffers step, float[] logits) {
    int rows = step.rows();
    if (rows > maxRows) {
      throw new IllegalArgumentException("%d rows; the limit is %d".formatted(rows, maxRows));
    }
    Operands in = new Operands(normed, config.hiddenSize(), projected, projectedStride, rows);
    Operands out = new Operands(mixed, mixedStride, hidden, hiddenStride, rows);

    team.forEach(rows, 1, row -> embed(row, step.tokens()[row]));

    for (int l = 0; l < layers.size(); l++) {
      int index = l;
      Layer layer = layers.get(l);

      team.forEach(rows, 1, row -> norm(layer.norm(), row, row));
      layer.in().multiply(in, REPLACED, team); // q, k, v and fc1
      team.forEach(
          rows,
          1,
          row -> {
            rotate(row, step.positions()[row]);
            storeKeysAndValues(step, index, row);
            activate(row);
          });
      int heads = config.numAttentionHeads();
      team.forEach(
          rows * heads, Math.max(1, heads / 4), i -> attend(step, index, i / heads, i % heads));
      layer.out().multiply(out, ADDED_TO, team); // dense and fc2, onto the residual stream
    }

    computeLogits(step, logits);
  }

  private void embed(int row, int token) {
    int width = config.hiddenSize();
    embedTokens.copyTo((long) token * width, hidden, row * hiddenStride, width);
  }

  private void norm(Norm norm, int row, int target) {
    Elementwise.layerNorm(
        hidden,
        row * hiddenStride,
        norm.weight(),
        norm.bias(),
        config.layerNormEps(),
        normed,
        target * config.hiddenSize());
  }

  /** Rotates the leading dimensions of each head of q and k, first half against second half. */
  private void rotate(int row, int position) {
    int half = config.rotaryDim() / 2;
    int heads = 2 * config.numAttentionHeads(); // those of q, then those of k
    for (int head = 0; head < heads; head++) {
      int at = row * projectedStride + head * config.headDim();
      for (int i = 0; i < half; i++) {
        float c = cos[position * half + i];
        float s = sin[position * half + i];
        float a = projected[at + i];
        float b = projected[at + half + i];
        projected[at + i] = a * c - b * s;
        projected[at + half + i] = b * c + a * s;
      }
    }
  }

  private void storeKeysAndValues(StepBuffers step, int layer, int row) {
    int position = step.positions()[row];
    int block = step.blockTables()[step.sequences()[row]][position / BLOCK_SIZE];
    int keysAt = row * projectedStride + config.hiddenSize();
    pages.write(layer, block, position, projected, keysAt, keysAt + config.hiddenSize());
  }

  private void activate(int row) {
    int width = config.hiddenSize();
    Elementwise.gelu(
        projected,
        row * projectedStride + 3 * width,
        config.intermediateSize(),
        mixed,
        row * mixedStride + width);
  }

  private void attend(StepBuffers step, int layer, int row, int head) {
    int at = head * config.headDim();
    attention.attend(
        layer,
        head,
        step.blockTables()[step.sequences()[row]],
        step.positions()[row],
        projected,
        row * projectedStride + at,
        mixed,
        row * mixedStride + at);
  }

  private void computeLogits(StepBuffers step, float[] logits) {
    int rows = step.numLogits();
    int stride = lmHead.stride();
    if (output.length < rows * stride) {
      output = new float[rows * stride];
    }
    for (int i = 0; i < rows; i++) {
      norm(finalNorm, step.logitRows()[i], i);
    }
    lmHead.multiply(
        new Operands(normed, config.hiddenSize(), output, stride, rows), REPLACED, team);
    for (int i = 0; i < rows; i++) {
      System.arraycopy(output, i * stride, logits, i * config.vocabSize(), config.vocabSize());
    }
  }

  @Override
  public void close() {
    team.close();
    if (products != null) {
      products.close();
    }
    arena.close();
  }
}
