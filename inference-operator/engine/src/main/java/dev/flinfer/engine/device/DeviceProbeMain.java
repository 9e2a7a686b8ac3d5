package dev.flinfer.engine.device;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flinfer.engine.EngineException;
import java.io.IOException;
import java.util.List;
import java.util.ServiceLoader;

/** The process of {@link DeviceProbe}: prints what each backend finds. */
final class DeviceProbeMain {
  private DeviceProbeMain() {}

  public static void main(String[] args) throws IOException {
    ObjectMapper json = new ObjectMapper();
    for (Backend backend : ServiceLoader.load(Backend.class)) {
      if (backend.loadsDrivers()) {
        System.out.println(DeviceProbe.MARK + json.writeValueAsString(found(backend)));
        System.out.flush();
      }
    }
    Runtime.getRuntime().halt(0); // drivers may crash at exit, after everything is printed
  }

  /** Catches what a driver throws, because this process exists to report it. */
  private static DeviceProbe.Found found(Backend backend) {
    try {
      return new DeviceProbe.Found(backend.name(), backend.devices(), null);
    } catch (RuntimeException | LinkageError e) {
      Throwable root = e;
      while (root.getCause() != null) {
        root = root.getCause();
      }
      String problem = root instanceof EngineException ? root.getMessage() : root.toString();
      return new DeviceProbe.Found(backend.name(), List.of(), problem);
    }
  }
}
