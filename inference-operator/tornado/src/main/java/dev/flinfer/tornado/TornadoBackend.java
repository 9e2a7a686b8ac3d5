package dev.flinfer.tornado;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.device.Backend;
import dev.flinfer.engine.device.DeviceInfo;
import dev.flinfer.engine.device.DevicePlan;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import uk.ac.manchester.tornado.api.TornadoRuntime;
import uk.ac.manchester.tornado.api.TornadoTargetDevice;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.exceptions.TornadoInternalError;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/**
 * The devices of TornadoVM's backends: {@code opencl:0}, {@code ptx:0}, {@code cuda:0} and so on,
 * in the order of their drivers.
 */
public final class TornadoBackend implements Backend {
  private static final Set<DType> WEIGHT_TYPES = Set.of(DType.F32, DType.Q8_0);
  private static final Set<DType> HALF_WEIGHT_TYPES = Set.of(DType.F32, DType.F16, DType.Q8_0);
  private static final Set<KvCacheType> KV_CACHE_TYPES = Set.of(KvCacheType.F32);
  private static final Set<KvCacheType> HALF_KV_CACHE_TYPES =
      Set.of(KvCacheType.F32, KvCacheType.F16);

  /** OpenCL's name for arithmetic in fp16; PTX and CUDA have it on every GPU that they run on. */
  private static final String OPENCL_HALF = "cl_khr_fp16";

  @Override
  public String name() {
    return "tornadovm";
  }

  @Override
  public List<DeviceInfo> devices() {
    return devicesById().entrySet().stream().map(e -> describe(e.getKey(), e.getValue())).toList();
  }

  private static Map<String, TornadoDevice> devicesById() {
    try {
      return TornadoThread.call(TornadoBackend::listDevices);
    } catch (TornadoInternalError | LinkageError e) {
      throw new EngineException("TornadoVM cannot list its devices: " + reason(e), e);
    } catch (RuntimeException e) {
      throw new EngineException("TornadoVM cannot list its devices: " + reason(e), e);
    }
  }

  private static String reason(Throwable e) {
    Throwable last = e;
    while (last.getCause() != null) {
      last = last.getCause();
    }
    return last.toString();
  }

  private static Map<String, TornadoDevice> listDevices() {
    TornadoRuntime runtime = TornadoRuntimeProvider.getTornadoRuntime();
    Map<String, TornadoDevice> devices = new LinkedHashMap<>();
    for (int b = 0; b < runtime.getNumBackends(); b++) {
      String type = runtime.getBackendType(b).name().toLowerCase(Locale.ROOT);
      List<TornadoDevice> all = runtime.getBackend(b).getAllDevices();
      for (int d = 0; d < all.size(); d++) {
        devices.put(type + ":" + d, all.get(d));
      }
    }
    return devices;
  }

  private static DeviceInfo describe(String id, TornadoDevice device) {
    TornadoTargetDevice physical = device.getPhysicalDevice();
    DeviceInfo.Kind kind =
        switch (device.getDeviceType()) {
          case CPU -> DeviceInfo.Kind.CPU;
          case GPU -> DeviceInfo.Kind.GPU;
          default -> DeviceInfo.Kind.ACCELERATOR;
        };
    boolean half = !id.startsWith("opencl:") || physical.getDeviceInfo().contains(OPENCL_HALF);
    return new DeviceInfo(
        id,
        physical.getDeviceName(),
        kind,
        physical.getDeviceGlobalMemorySize(),
        physical.getDeviceMaxAllocationSize(),
        half ? HALF_WEIGHT_TYPES : WEIGHT_TYPES,
        half ? HALF_KV_CACHE_TYPES : KV_CACHE_TYPES);
  }

  @Override
  public DevicePlan plan(
      DeviceInfo device, PhiConfig config, PhiWeights weights, EngineOptions options) {
    return MemoryPlan.of(device, config, weights, options);
  }

  @Override
  public ForwardPass open(
      DeviceInfo device,
      PhiConfig config,
      PhiWeights weights,
      EngineOptions options,
      int numKvBlocks) {
    return open(config, weights, Settings.of(device, options, numKvBlocks));
  }

  static ForwardPass open(PhiConfig config, PhiWeights weights, Settings settings) {
    Map<String, TornadoDevice> devices = devicesById();
    String id = settings.info().id();
    if (!devices.containsKey(id)) {
      throw new EngineException(
          "device %s is gone; TornadoVM has %s now".formatted(id, devices.keySet()));
    }
    return new TornadoForwardPass(config, weights, devices.get(id), settings);
  }
}
