package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Panels.WIDTH;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Weights in fp32, which are multiplied where they are stored and need no tile. */
final class FloatEncoding extends Encoding {

  FloatEncoding(int panels, int inputs, Arena arena) {
    super(new FloatKernel(), Float.SIZE, panels, inputs, arena);
  }

  @Override
  boolean pack(PanelPacker packer, int lane) {
    float[] values = packer.widened();
    boolean finite = true;
    for (int k = 0; k < packer.depth(); k++) {
      finite &= Float.isFinite(values[k]);
      packer.floats[k * WIDTH + lane] = values[k];
    }
    return finite;
  }

  @Override
  void store(PanelPacker packer, int panel, int k) {
    MemorySegment.copy(
        packer.floats, 0, memory, ValueLayout.JAVA_FLOAT, at(panel, k), packer.depth() * WIDTH);
  }

  @Override
  void locate(int panel, int k, Tile tile) {
    super.locate(panel, k, tile);
    tile.wide = memory;
    tile.wideAt = at(panel, k);
  }
}
