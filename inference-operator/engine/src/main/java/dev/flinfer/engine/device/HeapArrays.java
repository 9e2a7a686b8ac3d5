package dev.flinfer.engine.device;

/** Arrays of the Java heap whose size an option or a model's configuration decides. */
public final class HeapArrays {
  private HeapArrays() {}

  /**
   * So many rows of so many numbers.
   *
   * @param name of the option or member that decides the number of rows, for the message
   * @throws IllegalArgumentException if no array holds as many, or the heap has no room for them
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
