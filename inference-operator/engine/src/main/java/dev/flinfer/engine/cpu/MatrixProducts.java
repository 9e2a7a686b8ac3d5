package dev.flinfer.engine.cpu;

import dev.flinfer.engine.model.PhiWeights.Affine;
import java.util.List;

/** Who multiplies matrices. One is chosen for an engine, never one by the size of a batch. */
interface MatrixProducts extends AutoCloseable {

  /** For people to read. */
  String name();

  /** The matrices under each other: the same input, the outputs one after the other. */
  Matrix stacked(List<Affine> matrices);

  /** The matrices side by side: the inputs one after the other, the outputs added up. */
  Matrix sideBySide(List<Affine> matrices);

  /** The matrix whose outputs are the logits. */
  default Matrix lmHead(Affine matrix) {
    return stacked(List.of(matrix));
  }

  /** Frees what it holds; the matrices are gone with it. */
  @Override
  void close();
}
