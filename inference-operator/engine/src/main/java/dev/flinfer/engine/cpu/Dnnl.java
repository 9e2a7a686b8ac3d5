package dev.flinfer.engine.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The calls of oneDNN's C interface that matrix products need (oneapi/dnnl/dnnl.h, 3.13), through
 * the foreign function interface. Constants are those of the header. The library comes in the jar
 * of org.bytedeco:dnnl, whose own Java binding is not used.
 */
final class Dnnl {
  static final int BF16 = 2;
  static final int F32 = 3;
  static final int S32 = 4;
  static final int S8 = 5;
  static final int SRC = 1;
  static final int DST = 17;
  static final int WEIGHTS = 33;
  static final int SCRATCHPAD = 80;

  private static final int CPU = 1;
  private static final int IN_ORDER = 1;
  private static final int ANY = 1;
  private static final int MAX_DIMS = 12;
  private static final int IMPL_INFO = 8;
  private static final int WEIGHTS_MD = 131;
  private static final int SCRATCHPAD_MD = 136;
  private static final int USERS_SCRATCHPAD = 1;
  private static final int UNIMPLEMENTED = 3;
  private static final String LIBRARIES = "org/bytedeco/dnnl/linux-x86_64/";

  /** The library, loaded once per process, or the reason why it was not. */
  private static Dnnl loaded;

  private final Linker linker = Linker.nativeLinker();
  private final SymbolLookup symbols = SymbolLookup.loaderLookup();
  private final MethodHandle execute =
      handle("dnnl_primitive_execute", JAVA_INT, ADDRESS, ADDRESS, JAVA_INT, ADDRESS);
  private final MethodHandle setThreads = handle("omp_set_num_threads", null, JAVA_INT);
  private final MemorySegment engine = create("dnnl_engine_create", CPU, 0L);

  /** oneDNN's own scratchpad belongs to the thread that created the primitive. */
  private final MemorySegment attributes = create("dnnl_primitive_attr_create");

  private Dnnl() {
    String function = "dnnl_primitive_attr_set_scratchpad_mode";
    check(
        function,
        (int) invoke(handle(function, JAVA_INT, ADDRESS, JAVA_INT), attributes, USERS_SCRATCHPAD));
  }

  /**
   * The library.
   *
   * @throws IllegalStateException if it does not exist for this machine or cannot be loaded, with
   *     the reason
   */
  @SuppressWarnings("restricted") // that is what it is for
  static synchronized Dnnl load() {
    if (loaded == null) {
      try {
        Path directory = Files.createTempDirectory("flinfer-onednn");
        directory.toFile().deleteOnExit();
        // In this order: the second needs the first.
        System.load(unpack("libgomp.so.1", directory));
        System.load(unpack("libdnnl.so.3", directory));
        loaded = new Dnnl();
      } catch (IOException | UnsatisfiedLinkError e) {
        throw new IllegalStateException(
            "oneDNN cannot be loaded: %s. Set cpu_products to java".formatted(e.getMessage()), e);
      }
    }
    return loaded;
  }

  private static String unpack(String name, Path directory) throws IOException {
    try (InputStream in = Dnnl.class.getClassLoader().getResourceAsStream(LIBRARIES + name)) {
      if (in == null) {
        throw new IOException(
            name + " is not on the class path; it comes with org.bytedeco:dnnl for linux-x86_64");
      }
      Path file = directory.resolve(name);
      Files.copy(in, file);
      file.toFile().deleteOnExit();
      return file.toString();
    }
  }

  /** Makes the calling thread compute its calls by itself; OpenMP keeps this number per thread. */
  void computeAlone() {
    try {
      setThreads.invokeExact(1);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** A stream for one thread's calls. */
  MemorySegment stream() {
    return create("dnnl_stream_create", engine, IN_ORDER);
  }

  /** Describes a matrix; strides are in elements. */
  MemorySegment describe(long rows, long columns, int type, long rowStride, long columnStride) {
    try (Arena arena = Arena.ofConfined()) {
      return create(
          "dnnl_memory_desc_create_with_strides",
          2,
          dims(arena, rows, columns),
          type,
          dims(arena, rowStride, columnStride));
    }
  }

  /** Describes a matrix whose layout the primitive chooses. */
  MemorySegment describeAny(long rows, long columns, int type) {
    try (Arena arena = Arena.ofConfined()) {
      return create("dnnl_memory_desc_create_with_tag", 2, dims(arena, rows, columns), type, ANY);
    }
  }

  private static MemorySegment dims(Arena arena, long first, long second) {
    MemorySegment dims = arena.allocate(ValueLayout.JAVA_LONG, MAX_DIMS);
    dims.setAtIndex(JAVA_LONG, 0, first);
    dims.setAtIndex(JAVA_LONG, 1, second);
    return dims;
  }

  /** Creates a memory object over the caller's memory. */
  MemorySegment memory(MemorySegment description, MemorySegment data) {
    return create("dnnl_memory_create", description, engine, data);
  }

  /** Describes the product {@code dst = src weights}. */
  MemorySegment describeProduct(MemorySegment src, MemorySegment weights, MemorySegment dst) {
    MemorySegment noBias = MemorySegment.NULL;
    return create(
        "dnnl_matmul_primitive_desc_create", engine, src, weights, noBias, dst, attributes);
  }

  /** Describes a copy from one layout to another. */
  MemorySegment describeReorder(MemorySegment from, MemorySegment to) {
    return create(
        "dnnl_reorder_primitive_desc_create", from, engine, to, engine, MemorySegment.NULL);
  }

  MemorySegment primitive(MemorySegment description) {
    return create("dnnl_primitive_create", description);
  }

  /** Returns the layout of weights that a product requires. */
  MemorySegment weightsOf(MemorySegment product) {
    return queryLayout(product, WEIGHTS_MD);
  }

  /** Returns the scratchpad that a product requires while it runs. */
  MemorySegment scratchpadOf(MemorySegment product) {
    return queryLayout(product, SCRATCHPAD_MD);
  }

  private MemorySegment queryLayout(MemorySegment product, int what) {
    MethodHandle query =
        handle("dnnl_primitive_desc_query_md", ADDRESS, ADDRESS, JAVA_INT, JAVA_INT);
    return (MemorySegment) invoke(query, product, what, 0);
  }

  long bytesOf(MemorySegment description) {
    return (long) invoke(handle("dnnl_memory_desc_get_size", JAVA_LONG, ADDRESS), description);
  }

  /** Returns the name of the kernel that oneDNN chose for a primitive. */
  @SuppressWarnings("restricted")
  String implementation(MemorySegment description) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocate(ADDRESS);
      MethodHandle query =
          handle("dnnl_primitive_desc_query", JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
      check("dnnl_primitive_desc_query", (int) invoke(query, description, IMPL_INFO, 0, name));
      return name.get(ADDRESS, 0).reinterpret(Long.MAX_VALUE).getString(0);
    }
  }

  /**
   * Arguments for {@link #execute}.
   *
   * @param pairs kinds, such as {@link #SRC}, and memory objects
   */
  static MemorySegment arguments(Arena arena, Object... pairs) {
    MemorySegment list = arena.allocate(16L * pairs.length / 2, 8);
    for (int i = 0; i < pairs.length; i += 2) {
      list.set(JAVA_INT, 8L * i, (int) pairs[i]);
      list.set(ADDRESS, 8L * i + 8, (MemorySegment) pairs[i + 1]);
    }
    return list;
  }

  /** Runs a primitive and waits until it is done. */
  void execute(MemorySegment primitive, MemorySegment stream, MemorySegment arguments) {
    int status;
    try {
      int count = (int) (arguments.byteSize() / 16);
      status = (int) execute.invokeExact(primitive, stream, count, arguments);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
    check("dnnl_primitive_execute", status);
  }

  /** Destroys an object that one of the methods above created. */
  void destroy(String kind, MemorySegment object) {
    String function = "dnnl_" + kind + "_destroy";
    check(function, (int) invoke(handle(function, JAVA_INT, ADDRESS), object));
  }

  /** Calls a function that writes the address of the object it creates to its first argument. */
  private MemorySegment create(String function, Object... arguments) {
    try (Arena arena = Arena.ofConfined()) {
      MemoryLayout[] types = new MemoryLayout[arguments.length + 1];
      Object[] all = new Object[arguments.length + 1];
      types[0] = ADDRESS;
      all[0] = arena.allocate(ADDRESS);
      for (int i = 0; i < arguments.length; i++) {
        all[i + 1] = arguments[i];
        types[i + 1] =
            arguments[i] instanceof Integer
                ? JAVA_INT
                : arguments[i] instanceof Long ? JAVA_LONG : ADDRESS;
      }
      check(function, (int) invoke(handle(function, JAVA_INT, types), all));
      return ((MemorySegment) all[0]).get(ADDRESS, 0);
    }
  }

  private static Object invoke(MethodHandle function, Object... arguments) {
    try {
      return function.invokeWithArguments(Arrays.asList(arguments));
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static void check(String function, int status) {
    if (status == UNIMPLEMENTED) {
      throw new IllegalStateException(
          "oneDNN has no kernels on this processor for what %s was asked for. Set cpu_products to java"
              .formatted(function));
    }
    if (status != 0) {
      throw new IllegalStateException(
          "oneDNN's %s failed with status %d".formatted(function, status));
    }
  }

  @SuppressWarnings("restricted")
  private MethodHandle handle(String function, MemoryLayout result, MemoryLayout... arguments) {
    FunctionDescriptor type =
        result == null
            ? FunctionDescriptor.ofVoid(arguments)
            : FunctionDescriptor.of(result, arguments);
    return linker.downcallHandle(symbols.findOrThrow(function), type);
  }
}
