package dev.flinfer.tornado;

import dev.flinfer.engine.model.PhiConfig;
import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.WorkerGrid2D;
import uk.ac.manchester.tornado.api.WorkerGrid3D;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The task graphs of a step: one that begins it, one layer, run once per layer, and the output. See
 * docs/decisions/0006 for the figures behind this.
 *
 * <p>A graph shares arrays with others by {@code consumeFromDevice}, which looks only at the graph
 * that ran last, but keeps what it found: after the first step the order does not matter.
 */
final class StepGraphs {
  /** Where the graphs stand in what {@link #build} returns. */
  static final int BEGIN_INDEX = 0;

  static final int LAYER_INDEX = 1;
  static final int OUTPUT_INDEX = 2;

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
  private final GridScheduler grids = new GridScheduler();
  private final List<RowGrid> rowGrids = new ArrayList<>();
  private final WorkerGrid attentionGrid = new WorkerGrid3D(AttentionKernel.THREADS, 1, 1);
  private final List<RowGrid> outputGrids = new ArrayList<>();

  /** A grid of {@code x} threads and a line, or some lines, of them for each {@code tile} rows. */
  private record RowGrid(WorkerGrid grid, long x, int tile) {
    void setRows(int rows) {
      long tiles = (rows + tile - 1) / tile;
      if (grid instanceof WorkerGrid1D) {
        grid.setGlobalWork(x * tiles, 1, 1);
      } else {
        grid.setGlobalWork(x, tiles, 1);
      }
    }
  }

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
  }

  GridScheduler grids() {
    return grids;
  }

  /** Sizes the grids of what comes before the output. */
  void setRows(int rows, int largestPosition) {
    rowGrids.forEach(grid -> grid.setRows(rows));
    long splits = largestPosition / Shape.SPLIT + 1;
    attentionGrid.setGlobalWork((long) shape.heads() * AttentionKernel.THREADS, splits, rows);
  }

  /** Sizes the grids of the output. */
  void setLogitRows(int rows) {
    outputGrids.forEach(grid -> grid.setRows(rows));
  }

  /** The beginning, a layer and the output. */
  ImmutableTaskGraph[] build() {
    TaskGraph begin = new TaskGraph(BEGIN);
    begin.transferToDevice(DataTransferMode.EVERY_EXECUTION, control);
    begin.transferToDevice(DataTransferMode.FIRST_EXECUTION, weights.embedding());
    addEmbedding(begin);
    keep(begin, act.layer(), act.hidden());
    TaskGraph layer = new TaskGraph(LAYER);
    layer.consumeFromDevice(BEGIN, control, act.layer(), act.hidden());
    transferLayers(layer);
    addLayer(layer);
    TaskGraph output = new TaskGraph(OUTPUT);
    output.consumeFromDevice(LAYER, act.hidden());
    addOutput(output);
    return new ImmutableTaskGraph[] {begin.snapshot(), layer.snapshot(), output.snapshot()};
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
    rowGrids.add(elementwise(BEGIN + ".embed", width));
  }

  /**
   * Has arrays that are never copied freed with the plan. Only one graph may name an array here, or
   * among what it transfers, because each graph frees what it named.
   */
  private static void keep(TaskGraph graph, Object... arrays) {
    graph.persistOnDevice(arrays);
  }

  private void transferLayers(TaskGraph graph) {
    graph.transferToDevice(
        DataTransferMode.FIRST_EXECUTION,
        weights.normWeight(),
        weights.normBias(),
        weights.rotary(),
        act.normed(), // for the zeros at the ends of its rows, which no kernel writes
        act.mixed());
    keep(graph, act.keys(), act.values(), act.projected(), act.query(), act.partial(), act.stats());
    graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, weights.in().arrays());
    graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, weights.out().arrays());
  }

  /** One layer: {@code x = x + attention(norm(x)) + mlp(norm(x))}, in six launches. */
  private void addLayer(TaskGraph graph) {
    addNorm(graph);
    matMuls.add(
        graph,
        "in",
        new MatMuls.Product(control, act.layer(), act.normed(), act.projected(), false),
        weights.in(),
        context);
    rowGrids.add(product(LAYER + ".in", weights.in()));
    addRotary(graph);
    addAttention(graph);
    matMuls.add(
        graph,
        "out",
        new MatMuls.Product(control, act.layer(), act.mixed(), act.hidden(), true),
        weights.out(),
        context);
    rowGrids.add(product(LAYER + ".out", weights.out()));
  }

  private void addNorm(TaskGraph graph) {
    graph.task(
        "norm",
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
    rowGrids.add(groupPerRow(LAYER + ".norm", NormKernel.THREADS));
  }

  private void addRotary(TaskGraph graph) {
    PhiConfig config = shape.config();
    graph.task(
        "rotary",
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
    rowGrids.add(elementwise(LAYER + ".rotary", threads));
  }

  private void addAttention(TaskGraph graph) {
    graph.task(
        "attend",
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
    attentionGrid.setLocalWork(AttentionKernel.THREADS, 1, 1);
    grids.addWorkerGrid(LAYER + ".attend", attentionGrid);
    graph.task(
        "combine",
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
    rowGrids.add(elementwise(LAYER + ".combine", shape.hidden()));
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
    outputGrids.add(groupPerRow(OUTPUT + ".norm", NormKernel.THREADS));
    matMuls.add(
        graph,
        "head",
        new MatMuls.Product(wanted, act.firstLayer(), act.selected(), act.logits(), false),
        weights.head(),
        context);
    outputGrids.add(product(OUTPUT + ".head", weights.head()));
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
    outputGrids.add(groupPerRow(OUTPUT + ".top", TopKernel.THREADS));
    graph.transferToHost(DataTransferMode.UNDER_DEMAND, act.logits(), act.top());
  }

  private RowGrid elementwise(String task, int elements) {
    int local = Shape.PANEL;
    return register(task, new WorkerGrid2D(local, 1), Shape.roundUp(elements, local), local, 1);
  }

  private RowGrid groupPerRow(String task, int local) {
    return register(task, new WorkerGrid1D(local), local, local, 1);
  }

  private RowGrid product(String task, DeviceMatrix matrix) {
    return register(
        task,
        new WorkerGrid2D(matMuls.threads(matrix), 1),
        matMuls.threads(matrix),
        matMuls.local(),
        matMuls.rows());
  }

  private RowGrid register(String task, WorkerGrid grid, long x, int local, int tile) {
    grid.setLocalWork(local, 1, 1);
    grids.addWorkerGrid(task, grid);
    return new RowGrid(grid, x, tile);
  }
}
