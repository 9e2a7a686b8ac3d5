package dev.flinfer.tornado;

import dev.flinfer.tornado.StepTasks.Tasks;
import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;

/**
 * The task graphs of a step: one that begins it, one or more of layers, and one of the output. A
 * single layer's graph is run once per layer, see docs/decisions/0006 for the measurements; with
 * fp16 weights for cuBLAS each layer is in only one graph, see {@link HalfProducts}.
 *
 * <p>A graph shares arrays with others by {@code consumeFromDevice}, which considers only the graph
 * that ran last but keeps an array that it has found: after the first step the order does not
 * matter.
 */
final class StepGraphs {
  /** Index of the first graph in the result of {@link #build}; those of layers follow. */
  static final int BEGIN_INDEX = 0;

  /** Layers per graph if it is not run repeatedly: 64 tasks; TornadoVM 5.2.0 takes about 160. */
  private static final int LAYERS_PER_GRAPH = 8;

  private static final String BEGIN = "begin";
  private static final String LAYER = "layer";
  private static final String OUTPUT = "output";

  private final StepArrays arrays;
  private final DeviceWeights weights;
  private final Activations act;
  private final StepTasks tasks;

  StepGraphs(StepArrays arrays, MatMuls matMuls) {
    this.arrays = arrays;
    this.weights = arrays.weights();
    this.act = arrays.act();
    this.tasks = new StepTasks(arrays, matMuls);
  }

  StepGrids grids() {
    return tasks.grids();
  }

  /** Number of graphs of layers. */
  int layerGraphs() {
    return (unrolledLayers() + LAYERS_PER_GRAPH - 1) / LAYERS_PER_GRAPH;
  }

  /** How often all graphs of layers are run in a step. */
  int layerRounds() {
    return weights.unrolled() ? 1 : arrays.shape().layers();
  }

  /** Layers that have tasks of their own. */
  private int unrolledLayers() {
    return weights.unrolled() ? arrays.shape().layers() : 1;
  }

  int outputIndex() {
    return BEGIN_INDEX + layerGraphs() + 1;
  }

  /** Builds the graphs of the beginning, of layers and of the output. */
  ImmutableTaskGraph[] build() {
    List<ImmutableTaskGraph> graphs = new ArrayList<>();
    TaskGraph begin = new TaskGraph(BEGIN);
    begin.transferToDevice(DataTransferMode.EVERY_EXECUTION, arrays.control());
    begin.transferToDevice(DataTransferMode.FIRST_EXECUTION, weights.embedding());
    tasks.addEmbedding(new Tasks(begin, BEGIN, ""));
    keep(begin, act.layer(), act.hidden());
    graphs.add(begin.snapshot());
    String before = BEGIN;
    int layers = unrolledLayers();
    for (int from = 0; from < layers; from += LAYERS_PER_GRAPH) {
      String name = LAYER + from;
      TaskGraph graph = new TaskGraph(name);
      graph.consumeFromDevice(before, arrays.control(), act.layer(), act.hidden());
      if (from == 0) {
        transferLayers(graph);
      } else {
        graph.consumeFromDevice(before, shared());
      }
      for (int layer = from; layer < Math.min(layers, from + LAYERS_PER_GRAPH); layer++) {
        String suffix = weights.unrolled() ? "-" + layer : "";
        tasks.addLayer(new Tasks(graph, name, suffix), layer);
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

  /** The arrays that every graph of layers uses. */
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
    kept.addAll(List.of(act.keys().floats(), act.keys().halves()));
    kept.addAll(List.of(act.values().floats(), act.values().halves()));
    kept.addAll(List.of(act.projected(), act.query(), act.partial(), act.stats()));
    if (weights.unrolled()) {
      kept.add(act.half());
    }
    return kept.toArray();
  }

  /**
   * Registers arrays that are never copied, so that they are freed with the plan. Only one graph
   * may name an array here or in a transfer, because each graph frees the arrays that it named.
   */
  private static void keep(TaskGraph graph, Object... arrays) {
    graph.persistOnDevice(arrays);
  }

  private void transferLayers(TaskGraph graph) {
    graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, copiedOnce());
    keep(graph, kept());
  }

  private void addOutput(TaskGraph graph) {
    graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, arrays.wanted());
    graph.transferToDevice(
        DataTransferMode.FIRST_EXECUTION,
        act.firstLayer(),
        act.selected(),
        weights.finalNormWeight(),
        weights.finalNormBias());
    graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, weights.head().arrays());
    if (weights.head().inHalfRows() && !weights.unrolled()) {
      keep(graph, act.half());
    }
    tasks.addOutput(new Tasks(graph, OUTPUT, ""));
    graph.transferToHost(DataTransferMode.UNDER_DEMAND, act.logits(), act.top());
  }
}
