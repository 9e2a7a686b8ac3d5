package dev.flinfer.engine.device;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import java.util.List;

/**
 * Brings devices that models run on; found with {@link java.util.ServiceLoader}. Making one loads
 * no driver.
 *
 * <p>Drivers can crash or hang the process that asks for its devices, so {@link #devices} is called
 * in a process of its own, and what it said there is handed to the other methods here.
 *
 * <p>Options come here resolved: {@code maxModelLen} and {@code threads} are not 0, and {@code
 * kvCacheType()} is one that the device has; so is {@code weightType()} unless it is null.
 */
public interface Backend {

  /** Such as {@code tornadovm}. */
  String name();

  /**
   * Whether it loads drivers. One that does not, such as the processor's, may be asked for its
   * devices in any process.
   */
  default boolean loadsDrivers() {
    return true;
  }

  /**
   * The devices there are, in an order that does not change.
   *
   * @throws EngineException if there are none, with what keeps them away
   */
  List<DeviceInfo> devices();

  /**
   * What a model takes on a device. Pure: loads no driver and reads shapes and types of the
   * weights, not their values.
   *
   * @throws IllegalArgumentException if the device cannot run it, with the numbers and the way out
   */
  DevicePlan plan(DeviceInfo device, PhiConfig config, PhiWeights weights, EngineOptions options);

  /**
   * Opens the model on a device. The weights' files can be closed only after it.
   *
   * @param numKvBlocks blocks of {@link ForwardPass#BLOCK_SIZE} positions in the KV cache
   * @throws EngineException if the device fails
   */
  ForwardPass open(
      DeviceInfo device,
      PhiConfig config,
      PhiWeights weights,
      EngineOptions options,
      int numKvBlocks);
}
