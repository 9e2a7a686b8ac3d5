package dev.flinfer.engine.device;

import static dev.flinfer.engine.EngineOption.DEVICE;

import dev.flinfer.engine.DeviceSpecifier;
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

/** Finds the device that the options name, checks it and opens the model on it. */
public final class Devices {
  private static final Logger LOG = LoggerFactory.getLogger(Devices.class);

  /** The order of preference if several drivers provide the same GPU: the best supported first. */
  private static final List<String> PREFERRED = List.of("cuda", "ptx", "opencl");

  private final Backend cpuBackend;
  private final List<Backend> backends; // all that load drivers
  private final Supplier<DeviceProbe.Report> probe;

  /**
   * @param all all backends, including that of the CPU
   * @param probe lists the devices of those that load drivers
   * @throws EngineException if the backend of the CPU is missing
   */
  Devices(List<Backend> all, Supplier<DeviceProbe.Report> probe) {
    this.cpuBackend =
        all.stream()
            .filter(backend -> !backend.loadsDrivers())
            .findFirst()
            .orElseThrow(
                () ->
                    new EngineException(
                        "no backend for the CPU is on the class path; add the"
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

  /** The CPU, which is always available. */
  public DeviceInfo cpu() {
    return cpuBackend.devices().get(0);
  }

  /** Why only the CPU backend is available; empty if there is another one. */
  public static String noBackend() {
    return ofProcess().backends.isEmpty() ? absence() : "";
  }

  private static String absence() {
    String reason = System.getenv("FLINFER_NO_TORNADOVM"); // set by the launcher
    return "no TornadoVM backend is on the class path"
        + (reason == null || reason.isEmpty() ? "" : ": " + reason)
        + "; docs/tornadovm.md explains how to install it";
  }

  /**
   * An open model.
   *
   * @param options the options, with the types that the device has
   */
  public record Opened(ForwardPass forward, EngineOptions options) {}

  /**
   * Opens the model on the device that the options name.
   *
   * @param options resolved, except for the types
   * @throws IllegalArgumentException if the device is missing or the model does not fit it
   * @throws EngineException if the device fails
   */
  public Opened open(PhiConfig config, PhiWeights weights, EngineOptions options) {
    DeviceSpecifier name = options.get(DEVICE);
    if (name.kind() == DeviceSpecifier.Kind.CPU) {
      return openCpu(config, weights, options);
    }
    if (name.kind() == DeviceSpecifier.Kind.AUTO) {
      return openBest(config, weights, options);
    }
    if (backends.isEmpty()) {
      throw new IllegalArgumentException(
          "device %s was not found; available: cpu; %s".formatted(name, absence()));
    }
    DeviceProbe.Report report = probe.get();
    DeviceInfo device = named(name, report);
    return open(device, report, config, weights, options);
  }

  private static DeviceInfo named(DeviceSpecifier name, DeviceProbe.Report report) {
    // A name without a number prefers a GPU to the CPU that its vendor's driver also provides.
    return report.devices().stream()
        .filter(d -> name.names(d.id()))
        .min(Comparator.comparing(d -> d.kind() != DeviceInfo.Kind.GPU))
        .orElseThrow(() -> new IllegalArgumentException(missing(name, report)));
  }

  private static String missing(DeviceSpecifier name, DeviceProbe.Report report) {
    String available =
        Stream.concat(
                Stream.of("cpu"),
                report.devices().stream().map(d -> "%s (%s)".formatted(d.id(), d.name())))
            .collect(Collectors.joining(", "));
    return "device %s was not found; available: %s%s"
        .formatted(
            name,
            available,
            report.problems().stream().map(p -> "; " + p).collect(Collectors.joining()));
  }

  private Opened openCpu(PhiConfig config, PhiWeights weights, EngineOptions given) {
    EngineOptions options = DeviceFit.withTypesOf(cpu(), given);
    int blocks = new DeviceFit(cpuBackend, cpu(), config, weights).kvBlocks(options);
    return new Opened(cpuBackend.open(cpu(), config, weights, options, blocks), options);
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
        refused.add("%s (%s) is not a GPU".formatted(device.id(), device.name()));
        continue;
      }
      try {
        Opened opened = open(device, report, config, weights, options);
        LOG.info("device auto is {} ({})", device.id(), device.name());
        return opened;
      } catch (IllegalArgumentException | EngineException e) {
        LOG.warn("device auto skips {}: {}", device.id(), e.getMessage());
        refused.add(device.id() + " was refused");
      }
    }
    LOG.info(
        "device auto is cpu: {}",
        refused.isEmpty() ? "there is no other device" : String.join(", ", refused));
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
        new DeviceCheck(backend, device, cpuBackend).run(config, weights, options);
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
                    "device %s belongs to backend %s, which is missing in this process"
                        .formatted(device.id(), name)));
  }
}
