package dev.flinfer.engine.device;

/** Arrays on the Java heap whose size depends on an option or on a model's configuration. */
public final class HeapArrays {
  private HeapArrays() {}

  /**
   * Allocates (rows, stride) numbers.
   *
   * @param name the option or member that determines the number of rows, for the message
   * @throws IllegalArgumentException if they do not fit into one array or into the heap
   */
  public static float[] floats(String name, int rows, int stride) {
    int most = (Integer.MAX_VALUE - 8) / stride;
    if (rows > most) {
      throw new IllegalArgumentException(
          "%s is %d; with %d numbers each the limit of this model is %d"
              .formatted(name, rows, stride, most));
    }
    try {
      return new float[rows * stride];
    } catch (OutOfMemoryError e) {
      throw new IllegalArgumentException(
          ("%s is %d; with %d numbers each that is %,d bytes, more than is free of the Java heap of"
                  + " %,d. Lower it, or raise -Xmx")
              .formatted(name, rows, stride, 4L * rows * stride, Runtime.getRuntime().maxMemory()),
          e);
    }
  }
}
