package dev.flinfer.engine;

/**
 * A forward pass that takes no time and no memory: it computes nothing and every logit stays 0.
 * With it an engine costs what all but the model costs.
 */
final class FreeForwardPass implements ForwardPass {
  private final int vocabSize;
  private final int numKvBlocks;

  FreeForwardPass(int vocabSize, int numKvBlocks) {
    this.vocabSize = vocabSize;
    this.numKvBlocks = numKvBlocks;
  }

  @Override
  public int vocabSize() {
    return vocabSize;
  }

  @Override
  public int numKvBlocks() {
    return numKvBlocks;
  }

  @Override
  public String device() {
    return "none (a forward pass that costs nothing)";
  }

  @Override
  public void forward(StepPlan plan, float[] logits) {
    // free
  }

  @Override
  public void close() {
    // holds nothing
  }
}
