package dev.flinfer.engine;

import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiGguf;
import dev.flinfer.engine.model.RandomPhi;
import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.engine.weights.Checkpoint;
import dev.flinfer.engine.weights.Gguf;
import dev.flinfer.engine.weights.Safetensors;
import dev.flinfer.engine.weights.WeightFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;

/**
 * The files of a model: a directory in Hugging Face's layout, a GGUF file, or random weights of a
 * known shape.
 *
 * @param name last part of the path
 * @param checkpoint the tensors, mapped
 * @param digest SHA-256 in hex of configuration, tokenizer and {@link Checkpoint#fingerprint}
 */
public record ModelFiles(
    String name, PhiConfig config, Tokenizer tokenizer, Checkpoint checkpoint, String digest)
    implements AutoCloseable {

  /** The prefix of the name of a model with random weights. */
  static final String RANDOM = "random:";

  private static final String END_OF_TEXT = "<|endoftext|>";

  /** Opens a model by its path, or by the name of a shape with random weights. */
  public static ModelFiles open(String name) {
    if (name.startsWith(RANDOM)) {
      return random(name.substring(RANDOM.length()));
    }
    Path model = Path.of(name).toAbsolutePath().normalize();
    return Files.isRegularFile(model) ? gguf(model) : directory(model);
  }

  private static ModelFiles gguf(Path file) {
    Gguf gguf = Gguf.open(file);
    try {
      MessageDigest digest = sha256();
      gguf.fingerprint(digest);
      return new ModelFiles(
          file.getFileName().toString(),
          PhiConfig.of(gguf),
          Tokenizer.of(gguf),
          new PhiGguf(gguf),
          HexFormat.of().formatHex(digest.digest()));
    } catch (RuntimeException e) {
      gguf.close();
      throw e;
    }
  }

  private static ModelFiles random(String name) {
    PhiConfig config = RandomPhi.config(name);
    RandomPhi weights = new RandomPhi(name);
    MessageDigest digest = sha256();
    weights.fingerprint(digest);
    return new ModelFiles(
        RANDOM + name,
        config,
        Tokenizer.ofBytes(),
        weights,
        HexFormat.of().formatHex(digest.digest()));
  }

  private static ModelFiles directory(Path model) {
    PhiConfig config = PhiConfig.load(model);
    Tokenizer tokenizer = Tokenizer.load(model);
    MessageDigest digest = sha256();
    try {
      digest.update(Files.readAllBytes(model.resolve("config.json")));
      digest.update(Files.readAllBytes(model.resolve("tokenizer.json")));
    } catch (IOException e) {
      throw new WeightFileException(model, "cannot be read: " + e, e);
    }
    Safetensors files = Safetensors.open(model);
    files.fingerprint(digest);
    String name = model.getFileName().toString();
    return new ModelFiles(
        name, config, tokenizer, files, HexFormat.of().formatHex(digest.digest()));
  }

  /**
   * The tokens that end a text, as the configuration names them. The published configurations of
   * Phi-1 and Phi-1.5 name none; then it is the tokenizer's end-of-text token, as in other engines.
   */
  public Set<Integer> eosTokenIds() {
    if (!config.eosTokenIds().isEmpty()) {
      return config.eosTokenIds();
    }
    int[] end = tokenizer.encode(END_OF_TEXT);
    if (end.length != 1) {
      return Set.of(); // several tokens: the text is not a token
    }
    if (end[0] >= config.vocabSize()) {
      throw new IllegalArgumentException(
          "%s: the tokenizer's token %s has the id %d; the model has tokens up to %d"
              .formatted(name, END_OF_TEXT, end[0], config.vocabSize() - 1));
    }
    return Set.of(end[0]);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }

  @Override
  public void close() {
    checkpoint.close();
  }
}
