package dev.flinfer.engine.cpu;

import dev.flinfer.engine.model.PhiWeights.Affine;
import java.util.List;

/** What multiplies matrices. One is chosen per engine, never by the size of a batch. */
interface MatrixProducts extends AutoCloseable {

  /** The name for display. */
  String name();

  /** Stacks matrices with the same input: their outputs follow each other. */
  Matrix stacked(List<Affine> matrices);

  /** Places matrices side by side: their inputs follow each other, their outputs are added. */
  Matrix sideBySide(List<Affine> matrices);

  /** The matrix whose outputs are the logits. */
  default Matrix lmHead(Affine matrix) {
    return stacked(List.of(matrix));
  }

  /** Frees its memory; its matrices cannot be used afterwards. */
  @Override
  void close();
}
