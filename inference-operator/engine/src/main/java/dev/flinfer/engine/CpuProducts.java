package dev.flinfer.engine;

/** The values of {@link EngineOption#CPU_PRODUCTS}: what multiplies matrices on the CPU. */
public enum CpuProducts {
  /** The same as {@link #JAVA}. */
  AUTO,
  JAVA,
  ONEDNN
}
