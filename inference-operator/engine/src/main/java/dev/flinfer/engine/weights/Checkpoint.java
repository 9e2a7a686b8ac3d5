package dev.flinfer.engine.weights;

import java.security.MessageDigest;

/** The tensors of a model's files, independent of the kind of files. */
public interface Checkpoint extends AutoCloseable {
  /**
   * Returns a tensor that the model needs. Its data is in the mapped file and valid until this is
   * closed.
   *
   * @param name its name in Hugging Face's model checkpoints
   * @param shape the shape that it must have, outermost dimension first
   * @throws WeightFileException if it is missing, or its shape is another, or its type is not
   *     supported
   */
  Tensor get(String name, long... shape);

  /**
   * Adds the bytes that identify this model checkpoint: the headers of its files, and samples of
   * every tensor.
   */
  void fingerprint(MessageDigest digest);

  /** Unmaps the files. */
  @Override
  void close();
}
