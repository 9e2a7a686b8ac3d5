package dev.flinfer.engine.model;

import dev.flinfer.engine.weights.Checkpoint;
import dev.flinfer.engine.weights.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The tensors of a Phi model, as they are stored in the mapped files. Matrices have one row per
 * output.
 *
 * @param embedTokens (vocab_size, hidden_size)
 * @param layers (num_hidden_layers)
 * @param finalNorm the norm before the output
 * @param lmHead (vocab_size, hidden_size) and its bias
 */
public record PhiWeights(Tensor embedTokens, List<Layer> layers, Affine finalNorm, Affine lmHead) {

  /**
   * A weight and its bias.
   *
   * @param weight (out, in) for a matrix, (out) for a norm
   * @param bias (out)
   */
  public record Affine(Tensor weight, Tensor bias) {}

  /**
   * One block: {@code x + attention(norm(x)) + mlp(norm(x))}.
   *
   * @param inputLayernorm (hidden_size)
   * @param q (hidden_size, hidden_size), like {@code k}, {@code v} and {@code dense}
   * @param fc1 (intermediate_size, hidden_size)
   * @param fc2 (hidden_size, intermediate_size)
   */
  public record Layer(
      Affine inputLayernorm, Affine q, Affine k, Affine v, Affine dense, Affine fc1, Affine fc2) {}

  /**
   * Finds the tensors by Hugging Face's names and checks their shapes. They are valid until the
   * files are closed.
   */
  public static PhiWeights of(Checkpoint files, PhiConfig config) {
    long hidden = config.hiddenSize();
    long ffn = config.intermediateSize();
    long vocab = config.vocabSize();
    List<Layer> layers = new ArrayList<>();
    for (int i = 0; i < config.numHiddenLayers(); i++) {
      String layer = "model.layers." + i + ".";
      layers.add(
          new Layer(
              affine(files, layer + "input_layernorm", hidden),
              affine(files, layer + "self_attn.q_proj", hidden, hidden),
              affine(files, layer + "self_attn.k_proj", hidden, hidden),
              affine(files, layer + "self_attn.v_proj", hidden, hidden),
              affine(files, layer + "self_attn.dense", hidden, hidden),
              affine(files, layer + "mlp.fc1", ffn, hidden),
              affine(files, layer + "mlp.fc2", hidden, ffn)));
    }
    return new PhiWeights(
        files.get("model.embed_tokens.weight", vocab, hidden),
        List.copyOf(layers),
        affine(files, "model.final_layernorm", hidden),
        affine(files, "lm_head", vocab, hidden));
  }

  private static Affine affine(Checkpoint files, String name, long... shape) {
    return new Affine(files.get(name + ".weight", shape), files.get(name + ".bias", shape[0]));
  }
}
