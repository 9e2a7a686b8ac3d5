package dev.flinfer.tornado;

import dev.flinfer.engine.DeviceInfo;
import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.ForwardPass;
import dev.flinfer.engine.StepPlan;
import dev.flinfer.engine.TopLogits;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import uk.ac.manchester.tornado.api.DataRange;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.exceptions.TornadoInternalError;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Phi's forward pass on a device of TornadoVM, compiled from Java: activations, keys and values in
 * fp32, weights in fp32 or Q8_0.
 */
final class TornadoForwardPass implements ForwardPass {
  private final Shape shape;
  private final String device;
  private final HostMemory memory = new HostMemory();
  private final StepControl control;
  private final WantedRows wanted;
  private final Activations activations;
  private final StepGraphs graphs;
  private final TornadoExecutionPlan plan;
  private boolean closed; // the device's thread reads and writes it

  /**
   * How it runs.
   *
   * @param info names the device
   * @param numKvBlocks blocks of 16 positions in the KV cache
   * @param maxRows most rows of a plan
   * @param weightType F32 or Q8_0, or null for the smaller one that keeps every stored value
   */
  record Settings(DeviceInfo info, int numKvBlocks, int maxRows, DType weightType) {}

  /**
   * Copies the weights; the tensors' files can be closed after it.
   *
   * @throws EngineException if the host has too little memory
   * @throws dev.flinfer.engine.weights.WeightFileException if a weight is not finite
   */
  TornadoForwardPass(
      PhiConfig config, PhiWeights weights, TornadoDevice target, Settings settings) {
    shape = Shape.of(config, settings.maxRows(), settings.numKvBlocks());
    DeviceInfo info = settings.info();
    try {
      DeviceWeights loaded = DeviceWeights.load(shape, weights, settings.weightType(), memory);
      control = new StepControl(shape, memory);
      wanted = new WantedRows(shape, memory);
      activations = Activations.allocate(shape, memory);
      MatMuls matMuls = MatMuls.of(info.kind());
      graphs = new StepGraphs(shape, loaded, activations, control.array(), wanted.array(), matMuls);
      device = "%s (%s, %s kernels)".formatted(info.id(), info.name(), matMuls.name());
      plan = TornadoThread.call(() -> open(target));
    } catch (RuntimeException | TornadoInternalError e) {
      memory.close();
      throw e;
    }
  }

  private TornadoExecutionPlan open(TornadoDevice target) {
    TornadoExecutionPlan opened = new TornadoExecutionPlan(graphs.build());
    opened.withDevice(target);
    opened.withGridScheduler(graphs.grids());
    return opened;
  }

  @Override
  public int vocabSize() {
    return shape.config().vocabSize();
  }

  @Override
  public int numKvBlocks() {
    return shape.kvBlocks();
  }

  @Override
  public String device() {
    return device;
  }

  @Override
  public void forward(StepPlan step, float[] logits) {
    forward(step, logits, null);
  }

  @Override
  public void forward(StepPlan step, float[] logits, TopLogits top) {
    if (step.rows() > shape.maxRows()) {
      throw new IllegalArgumentException(
          "%d rows; the limit is %d".formatted(step.rows(), shape.maxRows()));
    }
    if (step.rows() == 0) {
      return;
    }
    try {
      TornadoThread.call(
          () -> {
            run(step, logits, top);
            return null;
          });
    } catch (EngineException | IllegalArgumentException e) {
      throw e;
    } catch (RuntimeException | TornadoInternalError e) {
      throw failed(step, e);
    }
  }

  private EngineException failed(StepPlan step, Throwable cause) {
    return new EngineException(
        "device %s failed in a step of %d rows and %d rows of logits: %s"
            .formatted(device, step.rows(), step.numLogits(), cause),
        cause);
  }

  private void run(StepPlan step, float[] logits, TopLogits top) {
    if (closed) { // TornadoVM would run it on freed memory
      throw new EngineException("the forward pass on device %s is closed".formatted(device));
    }
    int largestPosition = control.fill(step);
    graphs.setRows(step.rows(), largestPosition);
    plan.withGraph(StepGraphs.BEGIN_INDEX).execute();
    for (int layer = 0; layer < shape.layers(); layer++) {
      plan.withGraph(StepGraphs.LAYER_INDEX).execute();
    }
    wanted.fill(step, top);
    int from = 0;
    while (from < step.numLogits()) {
      int count = wanted.put(step, top, from);
      graphs.setLogitRows(count);
      TornadoExecutionResult result = plan.withGraph(StepGraphs.OUTPUT_INDEX).execute();
      int whole = Math.clamp(wanted.whole() - from, 0, count);
      if (whole > 0) {
        copyLogits(result, from, whole, logits);
      }
      if (whole < count) {
        copyTop(result, from, whole, count, top);
      }
      from += count;
    }
  }

  /** Rows that are wanted whole. */
  private void copyLogits(TornadoExecutionResult result, int from, int count, float[] logits) {
    result.transferToHost(
        new DataRange(activations.logits()).withSize((long) count * shape.vocabStride()));
    MemorySegment source = activations.logits().getSegment();
    for (int i = 0; i < count; i++) {
      MemorySegment.copy(
          source,
          ValueLayout.JAVA_FLOAT,
          (long) i * shape.vocabStride() * Float.BYTES,
          logits,
          wanted.row(from + i) * vocabSize(),
          vocabSize());
    }
  }

  /** The most likely tokens of the rows from {@code whole} on. */
  private void copyTop(
      TornadoExecutionResult result, int from, int whole, int count, TopLogits top) {
    FloatArray source = activations.top();
    result.transferToHost(new DataRange(source).withSize((long) count * TopKernel.WIDTH));
    for (int i = whole; i < count; i++) {
      int row = wanted.row(from + i);
      int at = i * TopKernel.WIDTH;
      for (int n = 0; n < top.wanted(row); n++) {
        int token = (int) source.get(at + n);
        float logit = token < vocabSize() ? source.get(at + TopLogits.MOST + n) : Float.NaN;
        top.put(row, n, token, logit);
      }
      top.give(row, source.get(at + 2 * TopLogits.MOST));
    }
  }

  @Override
  public void close() {
    TornadoThread.call(
        () -> {
          release();
          return null;
        });
  }

  private void release() throws TornadoExecutionPlanException {
    if (closed) {
      return;
    }
    closed = true;
    try {
      plan.withAllGraphs();
      plan.close();
    } finally {
      memory.close();
    }
  }
}
