package dev.flinfer.tornado;

import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.tornado.StepGrids.Rows;
import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The task graphs of a step: one that begins it, one or more of layers, and the output. One layer's
 * graph is run once per layer, see docs/decisions/0006 for the figures behind this; fp16 weights
 * need graphs of their own, see {@link HalfProducts}.
 *
 * <p>A graph shares arrays with others by {@code consumeFromDevice}, which looks only at the graph
 * that ran last, but keeps what it found: after the first step the order does not matter.
 */
final class StepGraphs {
  /** Where the first graph stands in what {@link #build} returns; those of layers follow. */
  static final int BEGIN_INDEX = 0;

  /** Layers of a graph that are not run again: 64 tasks of some 160 that TornadoVM 5.2.0 takes. */
  private static final int LAYERS_OF_A_GRAPH = 8;

  private static final String BEGIN = "begin";
  private static final String LAYER = "layer";
  private static final String OUTPUT = "output";

  private final Shape shape;
  private final DeviceWeights weights;
  private final Activations act;
  private final IntArray control;
  private final IntArray wanted; // see WantedRows
  private final MatMuls matMuls;
  private final KernelContext context = new KernelContext();
  private final StepGrids grids;

  StepGraphs(
      Shape shape,
      DeviceWeights weights,
      Activations act,
      IntArray control,
      IntArray wanted,
      MatMuls matMuls) {
    this.shape = shape;
    this.weights = weights;
    this.act = act;
    this.control = control;
    this.wanted = wanted;
    this.matMuls = matMuls;
    this.grids = new StepGrids(shape, matMuls);
  }

  StepGrids grids() {
    return grids;
  }

  /** Graphs of layers. */
  int layerGraphs() {
    return weights.unrolled() ? (shape.layers() + LAYERS_OF_A_GRAPH - 1) / LAYERS_OF_A_GRAPH : 1;
  }

  /** How many times all graphs of layers are run in a step. */
  int layerRounds() {
    return weights.unrolled() ? 1 : shape.layers();
  }

  int outputIndex() {
    return BEGIN_INDEX + layerGraphs() + 1;
  }

  /** The beginning, layers and the output. */
  ImmutableTaskGraph[] build() {
    List<ImmutableTaskGraph> graphs = new ArrayList<>();
    TaskGraph begin = new TaskGraph(BEGIN);
    begin.transferToDevice(DataTransferMode.EVERY_EXECUTION, control);
    begin.transferToDevice(DataTransferMode.FIRST_EXECUTION, weights.embedding());
    addEmbedding(begin);
    keep(begin, act.layer(), act.hidden());
    graphs.add(begin.snapshot());
    String before = BEGIN;
    int layers = weights.unrolled() ? shape.layers() : 1;
    for (int from = 0; from < layers; from += LAYERS_OF_A_GRAPH) {
      String name = LAYER + from;
      TaskGraph graph = new TaskGraph(name);
      graph.consumeFromDevice(before, control, act.layer(), act.hidden());
      if (from == 0) {
        transferLayers(graph);
      } else {
        graph.consumeFromDevice(before, shared());
      }
      for (int layer = from; layer < Math.min(layers, from + LAYERS_OF_A_GRAPH); layer++) {
        addLayer(graph, name, layer);
      }
      graphs.add(graph.snapshot());
      before = name;
    }
    TaskGraph output = new TaskGraph(OUTPUT);
    output.consumeFromDevice(before, act.hidden());
    if (weights.unrolled()) {
      output.consumeFromDevice(before, act.half());
    }
    addOutput(output);
    graphs.add(output.snapshot());
    return graphs.toArray(ImmutableTaskGraph[]::new);
  }

  /** What every graph of layers works on. */
  private Object[] shared() {
    List<Object> shared = new ArrayList<>();
    shared.addAll(List.of(copiedOnce()));
    shared.addAll(List.of(kept()));
    return shared.toArray();
  }

  private Object[] copiedOnce() {
    List<Object> copied = new ArrayList<>();
    copied.add(weights.normWeight());
    copied.add(weights.normBias());
    copied.add(weights.rotary());
    copied.add(act.normed()); // for the zeros at the ends of its rows, which no kernel writes
    copied.add(act.mixed());
    copied.addAll(List.of(weights.in().arrays()));
    copied.addAll(List.of(weights.out().arrays()));
    return copied.toArray();
  }

  private Object[] kept() {
    List<Object> kept = new ArrayList<>();
    kept.addAll(List.of(act.keys(), act.values(), act.projected(), act.query()));
    kept.addAll(List.of(act.partial(), act.stats()));
    if (weights.unrolled()) {
      kept.add(act.half());
    }
    return kept.toArray();
  }

  private void addEmbedding(TaskGraph graph) {
    int width = shape.hidden();
    int stride = shape.hiddenStride();
    graph.task(
        "embed",
        EmbedKernel::embed,
        context,
        control,
        act.layer(),
        weights.embedding(),
        act.hidden(),
        width,
        stride);
    grids.addElementwise(BEGIN + ".embed", Rows.PASS, width);
  }

  /**
   * Has arrays that are never copied freed with the plan. Only one graph may name an array here, or
   * among what it transfers, because each graph frees what it named.
   */
  private static void keep(TaskGraph graph, Object... arrays) {
    graph.persistOnDevice(arrays);
  }

  private void transferLayers(TaskGraph graph) {
    graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, copiedOnce());
    keep(graph, kept());
  }

  /** One layer: {@code x = x + attention(norm(x)) + mlp(norm(x))}, in six launches, or eight. */
  private void addLayer(TaskGraph graph, String name, int layer) {
    Tasks tasks = new Tasks(graph, name, weights.unrolled() ? "-" + layer : "");
    addNorm(tasks);
    MatMuls.Product in =
        new MatMuls.Product(control, act.layer(), act.normed(), act.projected(), false);
    addProduct(tasks, "in", in, weights.in(), layer, Rows.PASS);
    addRotary(tasks);
    addAttention(tasks);
    MatMuls.Product out =
        new MatMuls.Product(control, act.layer(), act.mixed(), act.hidden(), true);
    addProduct(tasks, "out", out, weights.out(), layer, Rows.PASS);
  }

  /** A task graph that is filled, and what makes the names of its tasks its own. */
  private record Tasks(TaskGraph graph, String name, String suffix) {
    String task(String what) {
      return what + suffix;
    }

    /** As the grids know it. */
    String full(String what) {
      return name + "." + what + suffix;
    }
  }

  private void addProduct(
      Tasks tasks, String what, MatMuls.Product product, DeviceMatrix matrix, int layer, Rows of) {
    if (!matrix.half()) {
      matMuls.add(tasks.graph, tasks.task(what), product, matrix, context);
      grids.addProduct(tasks.full(what), of, matrix);
      return;
    }
    HalfFloatArray halves = matrix.halves().get(layer);
    tasks.graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, halves);
    int rows = of == Rows.PASS ? shape.maxRows() : shape.logitRows();
    HalfProducts.add(
        tasks.graph, tasks.task(what), product, matrix, halves, act.half(), rows, context);
    String prepare = HalfProducts.prepareTask(tasks.full(what));
    grids.addElementwise(prepare, of, HalfProducts.threads(matrix));
  }

  private void addNorm(Tasks tasks) {
    tasks.graph.task(
        tasks.task("norm"),
        NormKernel::layerNorm,
        context,
        control,
        act.layer(),
        act.hidden(),
        weights.normWeight(),
        weights.normBias(),
        act.normed(),
        0,
        shape.hidden(),
        shape.hiddenStride(),
        (float) shape.config().layerNormEps());
    grids.addGroupPerRow(tasks.full("norm"), Rows.PASS, NormKernel.THREADS);
  }

  private void addRotary(Tasks tasks) {
    PhiConfig config = shape.config();
    tasks.graph.task(
        tasks.task("rotary"),
        RotaryKernel::rotateStoreActivate,
        context,
        control,
        act.layer(),
        act.projected(),
        weights.rotary(),
        act.query(),
        act.keys(),
        act.values(),
        act.mixed(),
        shape.maxRows(),
        shape.kvBlocks(),
        shape.hidden(),
        shape.headDim(),
        config.rotaryDim(),
        shape.intermediate(),
        shape.projectedStride(),
        shape.hiddenStride(),
        shape.mixedStride());
    int threads = 3 * shape.hidden() + shape.intermediate();
    grids.addElementwise(tasks.full("rotary"), Rows.PASS, threads);
  }

  private void addAttention(Tasks tasks) {
    tasks.graph.task(
        tasks.task("attend"),
        AttentionKernel::attend,
        context,
        control,
        act.layer(),
        act.query(),
        act.keys(),
        act.values(),
        act.partial(),
        act.stats(),
        shape.maxRows(),
        shape.maxSplits(),
        shape.kvBlocks(),
        shape.heads(),
        shape.headDim(),
        (float) (1 / Math.sqrt(shape.headDim())));
    grids.addAttention(tasks.full("attend"));
    tasks.graph.task(
        tasks.task("combine"),
        AttentionKernel::combine,
        context,
        control,
        act.layer(),
        act.partial(),
        act.stats(),
        act.mixed(),
        shape.maxRows(),
        shape.maxSplits(),
        shape.hidden(),
        shape.headDim(),
        shape.mixedStride());
    grids.addElementwise(tasks.full("combine"), Rows.PASS, shape.hidden());
  }

  private void addOutput(TaskGraph graph) {
    graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, wanted);
    graph.transferToDevice(
        DataTransferMode.FIRST_EXECUTION,
        act.firstLayer(),
        act.selected(),
        weights.finalNormWeight(),
        weights.finalNormBias());
    graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, weights.head().arrays());
    if (weights.head().half() && !weights.unrolled()) {
      keep(graph, act.half());
    }
    graph.task(
        "norm",
        NormKernel::layerNorm,
        context,
        wanted,
        act.firstLayer(),
        act.hidden(),
        weights.finalNormWeight(),
        weights.finalNormBias(),
        act.selected(),
        1,
        shape.hidden(),
        shape.hiddenStride(),
        (float) shape.config().layerNormEps());
    grids.addGroupPerRow(OUTPUT + ".norm", Rows.LOGITS, NormKernel.THREADS);
    MatMuls.Product head =
        new MatMuls.Product(wanted, act.firstLayer(), act.selected(), act.logits(), false);
    addProduct(new Tasks(graph, OUTPUT, ""), "head", head, weights.head(), 0, Rows.LOGITS);
    graph.task(
        "top",
        TopKernel::topTokens,
        context,
        wanted,
        act.logits(),
        act.top(),
        WantedRows.countsAt(shape),
        shape.config().vocabSize(),
        shape.vocabStride());
    grids.addGroupPerRow(OUTPUT + ".top", Rows.LOGITS, TopKernel.THREADS);
    graph.transferToHost(DataTransferMode.UNDER_DEMAND, act.logits(), act.top());
  }
}
