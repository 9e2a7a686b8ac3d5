package dev.flinfer.tornado;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.OptionNames;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.Int8Array;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * The host's side of TornadoVM's arrays, from the C library's {@code calloc}: Java's own arenas
 * count against {@code -XX:MaxDirectMemorySize}, which Flink sets for its network buffers, and
 * write every page; these pages take no memory until they are touched, which those of the KV cache
 * and of the activations never are, since they live on the device.
 */
final class HostMemory implements AutoCloseable {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final MemoryLayout SIZE = LINKER.canonicalLayouts().get("size_t");
  private static final MethodHandle CALLOC =
      function("calloc", FunctionDescriptor.of(ValueLayout.ADDRESS, SIZE, SIZE));
  private static final MethodHandle FREE =
      function("free", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));

  private final OptionNames names;
  private final List<MemorySegment> segments = new ArrayList<>();

  /**
   * @param names how error texts name the engine's options
   */
  HostMemory(OptionNames names) {
    this.names = names;
  }

  @SuppressWarnings("restricted")
  private static MethodHandle function(String name, FunctionDescriptor type) {
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), type);
  }

  FloatArray floats(long count) {
    return FloatArray.fromSegmentShallow(segment(count, Float.BYTES));
  }

  HalfFloatArray halves(long count) {
    return HalfFloatArray.fromSegmentShallow(segment(count, Short.BYTES));
  }

  IntArray ints(long count) {
    return IntArray.fromSegmentShallow(segment(count, Integer.BYTES));
  }

  Int8Array bytes(long count) {
    return Int8Array.fromSegmentShallow(segment(count, Byte.BYTES));
  }

  @SuppressWarnings({"restricted", "ThrowSpecificExceptions"})
  private MemorySegment segment(long count, int elementBytes) {
    long bytes = TornadoNativeArray.ARRAY_HEADER + Math.multiplyExact(count, elementBytes);
    MemorySegment address;
    try {
      address = (MemorySegment) CALLOC.invokeExact(1L, bytes);
    } catch (Throwable e) {
      throw new IllegalStateException("calloc(1, %d) cannot be called".formatted(bytes), e);
    }
    if (address.address() == 0) {
      throw new EngineException(
          names
              .resolve(
                  "the host has no %d bytes for an array of the device; free memory, or lower"
                      + " {max-num-batched-tokens} or {kv-cache-memory}")
              .formatted(bytes));
    }
    segments.add(address);
    return address.reinterpret(bytes);
  }

  /** Frees all arrays, which must not be touched after it. */
  @Override
  public void close() {
    for (MemorySegment segment : segments) {
      try {
        FREE.invokeExact(segment);
      } catch (Throwable e) {
        throw new IllegalStateException("free cannot be called", e);
      }
    }
    segments.clear();
  }
}
