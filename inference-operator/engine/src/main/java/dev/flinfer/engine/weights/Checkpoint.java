package dev.flinfer.engine.weights;

import java.security.MessageDigest;

/** The tensors of a model's files, whatever kind of files they are. */
public interface Checkpoint extends AutoCloseable {
  /**
   * A tensor that the model needs. It lies in the mapped file and is gone when this is closed.
   *
   * @param name as Hugging Face's checkpoints name it
   * @param shape what its shape must be, outermost dimension first
   * @throws WeightFileException if it is missing, of another shape, or of a type that is not read
   */
  Tensor get(String name, long... shape);

  /**
   * Adds what tells this checkpoint from another: the headers of its files, and bytes of every
   * tensor from a few places.
   */
  void fingerprint(MessageDigest digest);

  /** Unmaps the files. */
  @Override
  void close();
}
