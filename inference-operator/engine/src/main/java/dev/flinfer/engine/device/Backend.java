package dev.flinfer.engine.device;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import java.util.List;

/**
 * Runs models on the devices of one kind; found with {@link java.util.ServiceLoader}. Its
 * constructor loads no driver.
 *
 * <p>Drivers can crash or hang the process that lists their devices, so {@link #devices} is called
 * in a separate process, and its result is passed to the other methods here.
 *
 * <p>Options are passed resolved: {@code max_model_len} and {@code threads} are not 0, {@code
 * kv_cache_dtype} is a type of the device, and {@code weights} is one or auto.
 */
public interface Backend {

  /** The name of the backend, such as {@code tornadovm}. */
  String name();

  /**
   * Whether it loads drivers. The devices of a backend that does not, such as the CPU backend, may
   * be listed in any process.
   */
  default boolean loadsDrivers() {
    return true;
  }

  /**
   * Lists the devices, in an order that does not change.
   *
   * @throws EngineException if there are none, with the reason
   */
  List<DeviceInfo> devices();

  /**
   * Computes the memory that a model takes on a device. Pure: loads no driver and reads shapes and
   * types of the weights, not their values.
   *
   * @throws IllegalArgumentException if the device cannot run the model, with the figures and the
   *     way out
   */
  DevicePlan plan(DeviceInfo device, PhiConfig config, PhiWeights weights, EngineOptions options);

  /**
   * Opens the model on a device. The files of the weights must stay open until the forward pass is
   * closed.
   *
   * @param numKvBlocks number of blocks of {@link ForwardPass#BLOCK_SIZE} positions in the KV cache
   * @throws EngineException if the device fails
   */
  ForwardPass open(
      DeviceInfo device,
      PhiConfig config,
      PhiWeights weights,
      EngineOptions options,
      int numKvBlocks);
}
