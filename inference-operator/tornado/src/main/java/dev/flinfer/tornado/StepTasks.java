package dev.flinfer.tornado;

import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.tornado.StepGrids.Rows;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Adds the tasks of a step: which arrays and sizes a kernel gets, and how large its grid is. */
final class StepTasks {
  private final Shape shape;
  private final DeviceWeights weights;
  private final Activations act;
  private final IntArray control;
  private final IntArray wanted;
  private final MatMuls matMuls;
  private final KernelContext context = new KernelContext();
  private final StepGrids grids;

  StepTasks(StepArrays arrays, MatMuls matMuls) {
    this.shape = arrays.shape();
    this.weights = arrays.weights();
    this.act = arrays.act();
    this.control = arrays.control();
    this.wanted = arrays.wanted();
    this.matMuls = matMuls;
    this.grids = new StepGrids(shape, matMuls);
  }

  StepGrids grids() {
    return grids;
  }

  /** A task graph to add tasks to, with the suffix that makes the names of its tasks unique. */
  record Tasks(TaskGraph graph, String name, String suffix) {
    String task(String kernel) {
      return kernel + suffix;
    }

    /** The name by which the grids know a task. */
    String full(String kernel) {
      return name + "." + kernel + suffix;
    }
  }

  void addEmbedding(Tasks tasks) {
    int width = shape.hidden();
    int stride = shape.hiddenStride();
    tasks.graph.task(
        tasks.task("embed"),
        EmbedKernel::embed,
        context,
        control,
        act.layer(),
        weights.embedding(),
        act.hidden(),
        width,
        stride);
    grids.addElementwise(tasks.full("embed"), Rows.PASS, width);
  }

  /**
   * One layer: {@code x = x + attention(norm(x)) + mlp(norm(x))}, in six launches, or eight with
   * cuBLAS.
   */
  void addLayer(Tasks tasks, int layer) {
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

  private void addProduct(
      Tasks tasks, String what, MatMuls.Product product, DeviceMatrix matrix, int layer, Rows of) {
    if (!matrix.inHalfRows()) {
      matMuls.add(tasks.graph, tasks.task(what), product, matrix, context);
      grids.addProduct(tasks.full(what), of, matrix);
      return;
    }
    HalfFloatArray halves = matrix.halfRows().get(layer);
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
        act.keys().floats(),
        act.keys().halves(),
        act.values().floats(),
        act.values().halves(),
        act.mixed(),
        shape.maxRows(),
        shape.kvBlocks(),
        shape.hidden(),
        shape.headDim(),
        config.rotaryDim(),
        shape.intermediate(),
        act.keys().inHalf());
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
        act.keys().floats(),
        act.keys().halves(),
        act.values().floats(),
        act.values().halves(),
        act.partial(),
        act.stats(),
        shape.maxRows(),
        shape.maxSplits(),
        shape.kvBlocks(),
        shape.heads(),
        shape.headDim(),
        act.keys().inHalf(),
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

  void addOutput(Tasks tasks) {
    tasks.graph.task(
        tasks.task("norm"),
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
    grids.addGroupPerRow(tasks.full("norm"), Rows.LOGITS, NormKernel.THREADS);
    MatMuls.Product head =
        new MatMuls.Product(wanted, act.firstLayer(), act.selected(), act.logits(), false);
    addProduct(tasks, "head", head, weights.head(), 0, Rows.LOGITS);
    tasks.graph.task(
        tasks.task("top"),
        TopKernel::topTokens,
        context,
        wanted,
        act.logits(),
        act.top(),
        WantedRows.countsAt(shape),
        shape.config().vocabSize(),
        shape.vocabStride());
    grids.addGroupPerRow(tasks.full("top"), Rows.LOGITS, TopKernel.THREADS);
  }
}
