package dev.flinfer.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.RuntimeMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The CUDA code that TornadoVM generates from the kernels compiles with nvcc. Needs an SDK with the
 * CUDA backend, and nvcc, but no GPU and no driver: TornadoVM's virtual device generates the code.
 */
final class CudaKernelsTest {
  private static final String ARCHITECTURE = "sm_90";
  private static final Path SOURCES = Path.of("target", "cuda-kernels"); // kept for inspection
  private static final Pattern KERNEL =
      Pattern.compile(
          "^extern \"C\" __global__ void (\\w+)\\(.*?^}", Pattern.MULTILINE | Pattern.DOTALL);

  /**
   * The kernels of each variant in addition to its products. With cuBLAS, which a virtual device
   * does not have, the run ends after the kernel before the first product.
   */
  private static final List<String> KERNELS =
      List.of("embed", "layerNorm", "rotateStoreActivate", "attend", "combine", "topTokens");

  private static final String DEVICE =
      """
      {
        "deviceName" : "virtual",
        "doubleFPSupport" : true,
        "maxWorkItemSizes" : [1024, 1024, 64],
        "deviceAddressBits" : 64,
        "deviceType" : "CL_DEVICE_TYPE_GPU",
        "deviceExtensions" : "cl_khr_fp16",
        "availableProcessors" : 132
      }
      """;

  @TempDir Path directory;

  @Test
  void nvccCompilesAllKernels() throws Exception {
    List<String> classPath = classPath();
    assumeTrue(
        classPath.stream().anyMatch(jar -> jar.contains("tornado-drivers-cuda-")),
        "the TornadoVM SDK has no CUDA backend");
    assumeTrue(nvcc() != null, "nvcc is not on the PATH");

    Map<String, String> sources = new LinkedHashMap<>(); // many variants have the same
    for (Map.Entry<String, String> printed : print(classPath).entrySet()) {
      Map<String, String> kernels = kernels(printed.getValue());
      boolean cublas = printed.getKey().endsWith("-cublas");
      assertThat(names(kernels))
          .as(printed.getKey())
          .containsAll(cublas ? List.of("prepare") : KERNELS);
      kernels.forEach((name, source) -> sources.put(source, printed.getKey() + "-" + name));
    }

    assertThat(sources).hasSizeGreaterThan(KERNELS.size());
    Files.createDirectories(SOURCES);
    for (Map.Entry<String, String> kernel : sources.entrySet()) {
      assertThat(errors(kernel.getValue(), kernel.getKey())).as(kernel.getValue()).isEmpty();
    }
  }

  /** The existing jars of this process, without backends that need a driver. */
  private static List<String> classPath() {
    String all = ManagementFactory.getRuntimeMXBean().getClassPath();
    return Stream.of(all.split(File.pathSeparator))
        .filter(entry -> Files.exists(Path.of(entry)))
        .filter(entry -> !entry.contains("tornado-drivers-ptx-"))
        .filter(entry -> !entry.contains("tornado-drivers-opencl-"))
        .toList();
  }

  private static Path nvcc() {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .map(bin -> Path.of(bin, "nvcc"))
        .filter(Files::isExecutable)
        .findFirst()
        .orElse(null);
  }

  /** Returns the output of a JVM with a virtual device, by variant. */
  private Map<String, String> print(List<String> classPath) throws Exception {
    Path device = Files.writeString(directory.resolve("device.json"), DEVICE);
    RuntimeMXBean runtime = ManagementFactory.getRuntimeMXBean();
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    runtime.getInputArguments().stream()
        .filter(
            flag ->
                flag.startsWith("--")
                    || flag.startsWith("-Dtornado.")
                    || flag.startsWith("-Djava.library.path=")
                    || flag.equals("-XX:+UnlockExperimentalVMOptions")
                    || flag.contains("JVMCI"))
        .forEach(command::add);
    command.add("-Dtornado.virtual.device=True");
    command.add("-Dtornado.device.desc=" + device);
    command.add("-Dtornado.printKernel=True");
    command.add("-cp");
    command.add(String.join(File.pathSeparator, classPath));
    command.add(KernelPrinter.class.getName());
    command.add(directory.resolve("model").toString());
    String printed = run(command);
    Map<String, String> variants = new TreeMap<>();
    for (String part : printed.split("(?m)^" + KernelPrinter.VARIANT)) {
      String[] nameAndKernels = part.split("\n", 2);
      variants.put(nameAndKernels[0], nameAndKernels[1]);
    }
    variants.keySet().removeIf(name -> !name.startsWith("weights-")); // the output before them
    assertThat(variants).as(printed).hasSize(8);
    return variants;
  }

  private static Map<String, String> kernels(String printed) {
    Map<String, String> kernels = new TreeMap<>();
    Matcher matcher = KERNEL.matcher(printed);
    while (matcher.find()) {
      kernels.put(matcher.group(1) + "-" + kernels.size(), matcher.group());
    }
    return kernels;
  }

  private static TreeSet<String> names(Map<String, String> kernels) {
    return kernels.keySet().stream()
        .map(name -> name.replaceFirst("-\\d+$", ""))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Returns nvcc's output if it fails, otherwise the empty string. */
  private String errors(String name, String source) throws Exception {
    Path file = Files.writeString(SOURCES.resolve(name + ".cu"), source);
    List<String> command =
        List.of(
            nvcc().toString(),
            "-cubin",
            "-arch=" + ARCHITECTURE,
            "-include=cuda_fp16.h",
            "-o",
            directory.resolve("kernel.cubin").toString(),
            file.toString());
    Process process = start(command, directory.resolve("nvcc.log"));
    return process.exitValue() == 0
        ? ""
        : "nvcc failed: " + Files.readString(directory.resolve("nvcc.log"));
  }

  private String run(List<String> command) throws Exception {
    Path log = directory.resolve("java.log");
    Process process = start(command, log);
    String printed = Files.readString(log, StandardCharsets.ISO_8859_1);
    assertThat(process.exitValue()).as(printed).isZero();
    return printed;
  }

  private static Process start(List<String> command, Path log)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("ends: %s", command.get(0)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    return process;
  }
}
