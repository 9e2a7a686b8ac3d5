package dev.flinfer.tornado;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.device.DeviceInfo;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.StepBuffers;
import dev.flinfer.engine.device.TopLogits;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
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
 * Phi's forward pass on a device of TornadoVM, compiled from Java: activations in fp32, keys and
 * values in fp32 or fp16, weights in fp32, fp16 or Q8_0.
 */
final class TornadoForwardPass implements ForwardPass {
  private final Shape shape;
  private final int maxRows; // of a step; a pass may have fewer
  private final boolean fixed; // grids do not change
  private final String device;
  private final HostMemory memory;
  private final StepControl control;
  private final WantedRows wanted;
  private final Activations activations;
  private final StepGraphs graphs;
  private final TornadoExecutionPlan plan;
  private boolean closed; // read and written only in TornadoThread

  /**
   * Copies the weights; the tensors' files can be closed afterwards.
   *
   * @throws EngineException if the host has too little memory
   * @throws dev.flinfer.engine.weights.WeightFileException if a weight is not finite
   */
  TornadoForwardPass(
      PhiConfig config, PhiWeights weights, TornadoDevice target, Settings settings) {
    DeviceInfo info = settings.info();
    DeviceWeights.Types types = DeviceWeights.Types.of(weights, settings);
    shape = shape(config, types, settings);
    maxRows = settings.maxRows();
    fixed = isFixed(types, settings);
    memory = new HostMemory(settings.options().names());
    try {
      DeviceWeights loaded = DeviceWeights.load(shape, weights, types, memory);
      control = new StepControl(shape, memory);
      wanted = new WantedRows(shape, memory);
      activations = Activations.allocate(shape, settings.kvCacheType(), memory);
      MatMuls matMuls = MatMuls.of(info.kind());
      StepArrays arrays =
          new StepArrays(shape, loaded, activations, control.array(), wanted.array());
      graphs = new StepGraphs(arrays, matMuls);
      device =
          "%s (%s, %s kernels%s%s)"
              .formatted(
                  info.id(),
                  info.name(),
                  matMuls.name(),
                  types.anyHalfRows() ? ", cuBLAS" : "",
                  settings.captured() ? ", CUDA graphs" : "");
      plan = TornadoThread.call(() -> open(target, settings.captured()));
    } catch (RuntimeException | TornadoInternalError e) {
      memory.close();
      throw e;
    }
  }

  /** Returns the model's dimensions with those of a pass over its layers. */
  static Shape shape(PhiConfig config, DeviceWeights.Types types, Settings settings) {
    return Shape.of(config, settings.maxRows(), settings.numKvBlocks(), isFixed(types, settings));
  }

  private static boolean isFixed(DeviceWeights.Types types, Settings settings) {
    return settings.captured() || types.anyHalfRows();
  }

  private TornadoExecutionPlan open(TornadoDevice target, boolean captured) {
    TornadoExecutionPlan opened = new TornadoExecutionPlan(graphs.build());
    opened.withDevice(target);
    opened.withGridScheduler(graphs.grids().scheduler());
    if (fixed) {
      graphs.grids().setLargest();
    }
    if (captured) {
      opened.withCUDAGraph();
    }
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
  public void forward(StepBuffers step, float[] logits) {
    forward(step, logits, null);
  }

  @Override
  public void forward(StepBuffers step, float[] logits, TopLogits top) {
    if (step.rows() > maxRows) {
      throw new IllegalArgumentException(
          "%d rows; the limit is %d".formatted(step.rows(), maxRows));
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

  private EngineException failed(StepBuffers step, Throwable cause) {
    return new EngineException(
        "device %s failed in a step of %d rows and %d rows of logits: %s"
            .formatted(device, step.rows(), step.numLogits(), cause),
        cause);
  }

  private void run(StepBuffers step, float[] logits, TopLogits top) {
    if (closed) { // TornadoVM would run on freed memory
      throw new EngineException("the forward pass on device %s is closed".formatted(device));
    }
    for (int from = 0; from < step.rows(); from += shape.maxRows()) {
      pass(step, from, Math.min(step.rows(), from + shape.maxRows()), logits, top);
    }
  }

  /** Computes some rows of a step; the rows that they attend to were computed before. */
  private void pass(StepBuffers step, int firstRow, int lastRow, float[] logits, TopLogits top) {
    int largestPosition = control.fill(step, firstRow, lastRow);
    if (!fixed) {
      graphs.grids().setRows(lastRow - firstRow, largestPosition);
    }
    plan.withGraph(StepGraphs.BEGIN_INDEX).execute();
    for (int round = 0; round < graphs.layerRounds(); round++) {
      for (int graph = 1; graph <= graphs.layerGraphs(); graph++) {
        plan.withGraph(StepGraphs.BEGIN_INDEX + graph).execute();
      }
    }
    int all = wanted.fill(step, top, firstRow, lastRow);
    int from = 0;
    while (from < all) {
      int count = wanted.put(step, top, from);
      if (!fixed) {
        graphs.grids().setLogitRows(count);
      }
      TornadoExecutionResult result = plan.withGraph(graphs.outputIndex()).execute();
      int complete = Math.clamp(wanted.complete() - from, 0, count);
      if (complete > 0) {
        copyLogits(result, from, complete, logits);
      }
      if (complete < count) {
        copyTop(result, from, complete, count, top);
      }
      from += count;
    }
  }

  /** Copies the rows of which all logits are needed. */
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

  /** Copies the most likely tokens of the rows after the first {@code complete}. */
  private void copyTop(
      TornadoExecutionResult result, int from, int complete, int count, TopLogits top) {
    FloatArray source = activations.top();
    result.transferToHost(new DataRange(source).withSize((long) count * TopKernel.WIDTH));
    for (int i = complete; i < count; i++) {
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
