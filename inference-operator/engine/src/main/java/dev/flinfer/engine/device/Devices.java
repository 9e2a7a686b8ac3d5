package dev.flinfer.engine.device;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses the device that {@code flinfer.device} asks for, tests it and opens the model on it. */
public final class Devices {
  private static final Logger LOG = LoggerFactory.getLogger(Devices.class);

  /** Where several drivers bring the same GPU, the one whose backend does most for it. */
  private static final List<String> PREFERRED = List.of("cuda", "ptx", "opencl");

  private final Backend processor;
  private final List<Backend> backends; // those with drivers
  private final Supplier<DeviceProbe.Report> probe;

  /**
   * @param all backends, the processor's among them
   * @param probe asks those with drivers for their devices
   * @throws EngineException if the processor's is missing
   */
  Devices(List<Backend> all, Supplier<DeviceProbe.Report> probe) {
    this.processor =
        all.stream()
            .filter(backend -> !backend.loadsDrivers())
            .findFirst()
            .orElseThrow(
                () ->
                    new EngineException(
                        "no backend for the processor is on the class path; add the"
                            + " flinfer-engine jar with its META-INF/services"));
    this.backends = all.stream().filter(Backend::loadsDrivers).toList();
    this.probe = probe;
  }

  /** The devices of the backends on the class path. */
  public static Devices ofProcess() {
    return new Devices(
        ServiceLoader.load(Backend.class, Backend.class.getClassLoader()).stream()
            .map(ServiceLoader.Provider::get)
            .toList(),
        () -> DeviceProbe.ofProcess().run());
  }

  /** The processor, which is always there. */
  public DeviceInfo cpu() {
    return processor.devices().get(0);
  }

  /** Why no backend but the processor's is there; empty if there is one. */
  public static String noBackend() {
    return ofProcess().backends.isEmpty() ? absence() : "";
  }

  private static String absence() {
    String reason = System.getenv("FLINFER_NO_TORNADOVM"); // the launcher knows
    return "no TornadoVM backend is on the class path"
        + (reason == null || reason.isEmpty() ? "" : ": " + reason)
        + "; docs/tornadovm.md says how to install it";
  }

  /**
   * What was opened.
   *
   * @param options with the types that the device has
   */
  public record Opened(ForwardPass forward, EngineOptions options) {}

  /**
   * Opens the model on the device that the options name.
   *
   * @param options resolved, but for the types
   * @throws IllegalArgumentException if it is not there or the model does not fit it
   * @throws EngineException if it fails
   */
  public Opened open(PhiConfig config, PhiWeights weights, EngineOptions options) {
    String name = options.device();
    if (name.equals("cpu")) {
      return openCpu(config, weights, options);
    }
    if (name.equals(EngineOptions.AUTO)) {
      return openBest(config, weights, options);
    }
    if (backends.isEmpty()) {
      throw new IllegalArgumentException(
          "device %s is not there; there is cpu; %s".formatted(name, absence()));
    }
    DeviceProbe.Report report = probe.get();
    DeviceInfo device = named(name, report);
    return open(device, report, config, weights, options);
  }

  private static DeviceInfo named(String name, DeviceProbe.Report report) {
    // Without a number a GPU goes before a processor that its vendor's driver brings.
    return report.devices().stream()
        .filter(d -> d.id().equals(name) || d.id().startsWith(name + ":"))
        .min(Comparator.comparing(d -> d.kind() != DeviceInfo.Kind.GPU))
        .orElseThrow(() -> new IllegalArgumentException(missing(name, report)));
  }

  private static String missing(String name, DeviceProbe.Report report) {
    String there =
        Stream.concat(
                Stream.of("cpu"),
                report.devices().stream().map(d -> "%s (%s)".formatted(d.id(), d.name())))
            .collect(Collectors.joining(", "));
    return "device %s is not there; there is %s%s"
        .formatted(
            name,
            there,
            report.problems().stream().map(p -> "; " + p).collect(Collectors.joining()));
  }

  private Opened openCpu(PhiConfig config, PhiWeights weights, EngineOptions given) {
    EngineOptions options = DeviceFit.withTypesOf(cpu(), given);
    int blocks = new DeviceFit(processor, cpu(), config, weights).kvBlocks(options);
    return new Opened(processor.open(cpu(), config, weights, options, blocks), options);
  }

  private Opened openBest(PhiConfig config, PhiWeights weights, EngineOptions options) {
    if (backends.isEmpty()) {
      LOG.info("device auto is cpu: {}", absence());
      return openCpu(config, weights, options);
    }
    DeviceProbe.Report report = probe.get();
    report.problems().forEach(problem -> LOG.warn("device auto: {}", problem));
    List<String> refused = new ArrayList<>();
    for (DeviceInfo device : byPreference(report.devices())) {
      if (device.kind() != DeviceInfo.Kind.GPU) {
        refused.add("%s (%s) is no GPU".formatted(device.id(), device.name()));
        continue;
      }
      try {
        Opened opened = open(device, report, config, weights, options);
        LOG.info("device auto is {} ({})", device.id(), device.name());
        return opened;
      } catch (IllegalArgumentException | EngineException e) {
        LOG.warn("device auto passes over {}: {}", device.id(), e.getMessage());
        refused.add(device.id() + " was refused");
      }
    }
    LOG.info(
        "device auto is cpu: {}",
        refused.isEmpty() ? "no other device is there" : String.join(", ", refused));
    return openCpu(config, weights, options);
  }

  private static List<DeviceInfo> byPreference(List<DeviceInfo> devices) {
    return devices.stream()
        .sorted(Comparator.comparing(d -> PREFERRED.indexOf(d.id().split(":", 2)[0])))
        .toList();
  }

  private Opened open(
      DeviceInfo device,
      DeviceProbe.Report report,
      PhiConfig config,
      PhiWeights weights,
      EngineOptions given) {
    Backend backend = backendOf(device, report);
    EngineOptions options = DeviceFit.withTypesOf(device, given);
    int blocks = new DeviceFit(backend, device, config, weights).kvBlocks(options);
    DeviceCheck.Result result =
        new DeviceCheck(backend, device, processor).run(config, weights, options);
    LOG.info("device {} ({}): {}", device.id(), device.name(), result);
    return new Opened(backend.open(device, config, weights, options, blocks), options);
  }

  private Backend backendOf(DeviceInfo device, DeviceProbe.Report report) {
    String name =
        report.backends().stream()
            .filter(found -> found.devices().contains(device))
            .map(DeviceProbe.Found::backend)
            .findFirst()
            .orElseThrow();
    return backends.stream()
        .filter(backend -> backend.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new EngineException(
                    "device %s is of backend %s, which only the probe's process has"
                        .formatted(device.id(), name)));
  }
}
