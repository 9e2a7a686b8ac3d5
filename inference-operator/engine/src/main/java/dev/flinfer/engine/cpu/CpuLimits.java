package dev.flinfer.engine.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The measured limits of this machine, with which the speed of a forward pass is compared. A step
 * of one token is limited by reading the weights, a step of many tokens by arithmetic.
 *
 * @param bytesPerSecond read from memory by all threads together
 * @param flopsPerSecond multiplications and additions in fp32 by all threads together
 */
public record CpuLimits(double bytesPerSecond, double flopsPerSecond) {
  /** Many times the size of the last-level cache of most CPUs. */
  private static final long BUFFER = 512L << 20;

  private static final int CHUNK = 1 << 20;

  /** The first rounds run before the loops are compiled; noise only ever slows a round down. */
  private static final int ROUNDS = 12;

  private static final double NANOS_PER_SECOND = 1e9;

  /**
   * Measures, in about two seconds.
   *
   * @param threads the same number as the engine uses
   */
  public static CpuLimits measure(int threads) {
    try (WorkerTeam team = new WorkerTeam(threads)) {
      return new CpuLimits(bandwidth(team, BUFFER, ROUNDS), arithmetic(team, ROUNDS));
    }
  }

  /** Bytes per second: the fastest of some reads of a buffer from end to end. */
  static double bandwidth(WorkerTeam team, long bytes, int rounds) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(bytes, Long.BYTES * Lanes.COUNT);
      buffer.fill((byte) 1); // pages that were never written all map to one page
      float[] sums = new float[team.size()];
      int chunks = (int) (bytes / CHUNK);
      double fastest = 0;
      for (int round = 0; round < rounds; round++) {
        long start = System.nanoTime();
        team.run(
            chunks,
            1,
            (from, to, worker) -> {
              for (int chunk = from; chunk < to; chunk++) {
                sums[worker] += sum(buffer, (long) chunk * CHUNK);
              }
            });
        fastest = Math.max(fastest, perSecond((long) chunks * CHUNK, start));
      }
      requireUsed(sums);
      return fastest;
    }
  }

  /** Four accumulators, so that it waits for memory and not for additions. */
  private static float sum(MemorySegment buffer, long from) {
    long step = (long) Lanes.COUNT * Float.BYTES;
    FloatVector a = FloatVector.zero(Lanes.SPECIES);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    for (long at = from; at < from + CHUNK; at += 4 * step) {
      a = a.add(FloatVector.fromMemorySegment(Lanes.SPECIES, buffer, at, Lanes.ORDER));
      b = b.add(FloatVector.fromMemorySegment(Lanes.SPECIES, buffer, at + step, Lanes.ORDER));
      c = c.add(FloatVector.fromMemorySegment(Lanes.SPECIES, buffer, at + 2 * step, Lanes.ORDER));
      d = d.add(FloatVector.fromMemorySegment(Lanes.SPECIES, buffer, at + 3 * step, Lanes.ORDER));
    }
    return a.add(b).add(c.add(d)).lane(0);
  }

  /** Operations per second: the fastest of some rounds of multiply-add in registers. */
  static double arithmetic(WorkerTeam team, int rounds) {
    int parts = 64;
    int steps = 1 << 16;
    float[] sums = new float[team.size()];
    double fastest = 0;
    for (int round = 0; round < rounds; round++) {
      long start = System.nanoTime();
      team.run(
          parts,
          1,
          (from, to, worker) -> {
            for (int part = from; part < to; part++) {
              sums[worker] += multiplyAdd(steps);
            }
          });
      long flops = 2L * ACCUMULATORS * Lanes.COUNT * steps * parts;
      fastest = Math.max(fastest, perSecond(flops, start));
    }
    requireUsed(sums);
    return fastest;
  }

  /** Two units with four cycles of latency need eight chains to be busy. */
  private static final int ACCUMULATORS = 8;

  private static float multiplyAdd(int steps) {
    FloatVector x = FloatVector.broadcast(Lanes.SPECIES, 0.5f);
    FloatVector a = x;
    FloatVector b = x;
    FloatVector c = x;
    FloatVector d = x;
    FloatVector e = x;
    FloatVector f = x;
    FloatVector g = x;
    FloatVector h = x;
    for (int i = 0; i < steps; i++) {
      a = a.fma(x, x);
      b = b.fma(x, x);
      c = c.fma(x, x);
      d = d.fma(x, x);
      e = e.fma(x, x);
      f = f.fma(x, x);
      g = g.fma(x, x);
      h = h.fma(x, x);
    }
    return a.add(b).add(c.add(d)).add(e.add(f).add(g.add(h))).lane(0);
  }

  private static double perSecond(long done, long startNanos) {
    return done / ((System.nanoTime() - startNanos) / NANOS_PER_SECOND);
  }

  /** Uses the result, so that the compiler does not remove the computation. */
  private static void requireUsed(float[] sums) {
    for (float sum : sums) {
      if (Float.isNaN(sum)) {
        throw new IllegalStateException("The loops that measure the machine's limits gave NaN");
      }
    }
  }
}
