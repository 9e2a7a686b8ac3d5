package dev.flinfer.engine.device;

import dev.flinfer.engine.RandomCheckpoint;
import java.util.Map;

/**
 * The oracle: Hugging Face's formulas of {@code PhiForCausalLM} in doubles, one position at a time,
 * computed from the start each time. Shares no code with the engine.
 */
public final class NaivePhi {
  private final RandomCheckpoint.Shape shape;
  private final Map<String, float[]> tensors;

  public NaivePhi(RandomCheckpoint checkpoint) {
    this.shape = checkpoint.shape();
    this.tensors = checkpoint.tensors();
  }

  /** The logits after each token, (tokens, vocab). */
  public double[][] logits(int... tokens) {
    int n = tokens.length;
    double[][] x = new double[n][shape.hidden()];
    for (int t = 0; t < n; t++) {
      for (int i = 0; i < shape.hidden(); i++) {
        x[t][i] = tensors.get("model.embed_tokens.weight")[tokens[t] * shape.hidden() + i];
      }
    }
    for (int layer = 0; layer < shape.layers(); layer++) {
      block("model.layers." + layer + ".", x);
    }
    double[][] logits = new double[n][];
    for (int t = 0; t < n; t++) {
      logits[t] = linear("lm_head", layerNorm("model.final_layernorm", x[t]));
    }
    return logits;
  }

  private void block(String layer, double[][] x) {
    int n = x.length;
    double[][] normed = new double[n][];
    double[][] q = new double[n][];
    double[][] k = new double[n][];
    double[][] v = new double[n][];
    for (int t = 0; t < n; t++) {
      normed[t] = layerNorm(layer + "input_layernorm", x[t]);
      q[t] = rotate(linear(layer + "self_attn.q_proj", normed[t]), t);
      k[t] = rotate(linear(layer + "self_attn.k_proj", normed[t]), t);
      v[t] = linear(layer + "self_attn.v_proj", normed[t]);
    }
    for (int t = 0; t < n; t++) {
      double[] attention = linear(layer + "self_attn.dense", attend(q[t], k, v, t));
      double[] inner = linear(layer + "mlp.fc1", normed[t]);
      for (int i = 0; i < inner.length; i++) {
        double u = Math.sqrt(2 / Math.PI) * (inner[i] + 0.044715 * Math.pow(inner[i], 3));
        inner[i] = 0.5 * inner[i] * (1 + Math.tanh(u));
      }
      double[] mlp = linear(layer + "mlp.fc2", inner);
      for (int i = 0; i < shape.hidden(); i++) {
        x[t][i] += attention[i] + mlp[i];
      }
    }
  }

  private double[] attend(double[] q, double[][] k, double[][] v, int t) {
    int dim = shape.hidden() / shape.heads();
    double[] out = new double[shape.hidden()];
    for (int head = 0; head < shape.heads(); head++) {
      double[] p = new double[t + 1];
      double total = 0;
      for (int j = 0; j <= t; j++) {
        double score = 0;
        for (int d = head * dim; d < (head + 1) * dim; d++) {
          score += q[d] * k[j][d];
        }
        p[j] = Math.exp(score / Math.sqrt(dim));
        total += p[j];
      }
      for (int j = 0; j <= t; j++) {
        for (int d = head * dim; d < (head + 1) * dim; d++) {
          out[d] += p[j] / total * v[j][d];
        }
      }
    }
    return out;
  }

  private double[] rotate(double[] x, int position) {
    int dim = shape.hidden() / shape.heads();
    int rotary = (int) (shape.rotaryFactor() * dim);
    double[] y = x.clone();
    for (int head = 0; head < shape.heads(); head++) {
      for (int i = 0; i < rotary / 2; i++) {
        double angle = position / Math.pow(10000, 2.0 * i / rotary);
        int a = head * dim + i;
        int b = a + rotary / 2;
        y[a] = x[a] * Math.cos(angle) - x[b] * Math.sin(angle);
        y[b] = x[b] * Math.cos(angle) + x[a] * Math.sin(angle);
      }
    }
    return y;
  }

  private double[] layerNorm(String name, double[] x) {
    double mean = 0;
    for (double value : x) {
      mean += value / x.length;
    }
    double variance = 0;
    for (double value : x) {
      variance += (value - mean) * (value - mean) / x.length;
    }
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] =
          (x[i] - mean) / Math.sqrt(variance + 1e-5) * tensors.get(name + ".weight")[i]
              + tensors.get(name + ".bias")[i];
    }
    return y;
  }

  private double[] linear(String name, double[] x) {
    float[] weight = tensors.get(name + ".weight");
    float[] bias = tensors.get(name + ".bias");
    double[] y = new double[bias.length];
    for (int o = 0; o < y.length; o++) {
      y[o] = bias[o];
      for (int i = 0; i < x.length; i++) {
        y[o] += weight[o * x.length + i] * x[i];
      }
    }
    return y;
  }
}
