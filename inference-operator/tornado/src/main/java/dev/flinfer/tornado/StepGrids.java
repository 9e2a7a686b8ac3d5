package dev.flinfer.tornado;

import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.WorkerGrid2D;
import uk.ac.manchester.tornado.api.WorkerGrid3D;

/** Sets the number of threads of each task of a step from the number of rows. */
final class StepGrids {
  /** The rows of a task: those of a pass over the layers, or those whose logits are needed. */
  enum Rows {
    PASS,
    LOGITS
  }

  private final Shape shape;
  private final MatMuls matMuls;
  private final GridScheduler scheduler = new GridScheduler();
  private final List<RowGrid> grids = new ArrayList<>();
  private final WorkerGrid attention = new WorkerGrid3D(AttentionKernel.THREADS, 1, 1);

  /** A grid with a line of {@code x} threads for each {@code tile} rows. */
  private record RowGrid(WorkerGrid grid, Rows of, long x, int tile) {
    void setRows(int rows) {
      long tiles = (rows + tile - 1) / tile;
      if (grid instanceof WorkerGrid1D) {
        grid.setGlobalWork(x * tiles, 1, 1);
      } else {
        grid.setGlobalWork(x, tiles, 1);
      }
    }
  }

  StepGrids(Shape shape, MatMuls matMuls) {
    this.shape = shape;
    this.matMuls = matMuls;
    attention.setLocalWork(AttentionKernel.THREADS, 1, 1);
  }

  GridScheduler scheduler() {
    return scheduler;
  }

  /** Sizes all grids for the largest pass, so that they need not change. */
  void setLargest() {
    setRows(shape.maxRows(), shape.config().maxPositionEmbeddings() - 1);
    setLogitRows(shape.logitRows());
  }

  /** Sizes the grids of all tasks before the output. */
  void setRows(int rows, int largestPosition) {
    setRows(Rows.PASS, rows);
    long splits = largestPosition / Shape.SPLIT + 1;
    attention.setGlobalWork((long) shape.heads() * AttentionKernel.THREADS, splits, rows);
  }

  /** Sizes the grids of the output. */
  void setLogitRows(int rows) {
    setRows(Rows.LOGITS, rows);
  }

  private void setRows(Rows of, int rows) {
    grids.stream().filter(grid -> grid.of == of).forEach(grid -> grid.setRows(rows));
  }

  /** Adds a task with one thread per element of a row. */
  void addElementwise(String task, Rows of, int elements) {
    int local = matMuls.elementwise();
    long threads = Shape.roundUp(elements, local);
    add(task, new WorkerGrid2D(local, 1), local, new Size(of, threads, 1));
  }

  /** Adds a task with one work-group per row. */
  void addGroupPerRow(String task, Rows of, int local) {
    add(task, new WorkerGrid1D(local), local, new Size(of, local, 1));
  }

  void addProduct(String task, Rows of, DeviceMatrix matrix) {
    int threads = matMuls.threads(matrix);
    Size size = new Size(of, threads, matMuls.rows());
    add(task, new WorkerGrid2D(threads, 1), matMuls.local(), size);
  }

  void addAttention(String task) {
    scheduler.addWorkerGrid(task, attention);
  }

  private record Size(Rows of, long x, int tile) {}

  private void add(String task, WorkerGrid grid, int local, Size size) {
    grid.setLocalWork(local, 1, 1);
    scheduler.addWorkerGrid(task, grid);
    grids.add(new RowGrid(grid, size.of, size.x, size.tile));
  }
}
