package dev.flinfer.tornado;

import dev.flinfer.tornado.StepTasks.Tasks;
import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;

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

  /** Graphs of layers. */
  int layerGraphs() {
    return (unrolledLayers() + LAYERS_OF_A_GRAPH - 1) / LAYERS_OF_A_GRAPH;
  }

  /** How many times all graphs of layers are run in a step. */
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

  /** The beginning, layers and the output. */
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
    for (int from = 0; from < layers; from += LAYERS_OF_A_GRAPH) {
      String name = LAYER + from;
      TaskGraph graph = new TaskGraph(name);
      graph.consumeFromDevice(before, arrays.control(), act.layer(), act.hidden());
      if (from == 0) {
        transferLayers(graph);
      } else {
        graph.consumeFromDevice(before, shared());
      }
      for (int layer = from; layer < Math.min(layers, from + LAYERS_OF_A_GRAPH); layer++) {
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
    kept.addAll(List.of(act.keys().floats(), act.keys().halves()));
    kept.addAll(List.of(act.values().floats(), act.values().halves()));
    kept.addAll(List.of(act.projected(), act.query(), act.partial(), act.stats()));
    if (weights.unrolled()) {
      kept.add(act.half());
    }
    return kept.toArray();
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
