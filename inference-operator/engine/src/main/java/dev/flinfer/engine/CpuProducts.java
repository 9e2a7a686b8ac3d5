package dev.flinfer.engine;

/** Libraries that multiply matrices on the CPU. */
public enum CpuProducts {
  /** Java. */
  AUTO,
  JAVA,
  ONEDNN
}
