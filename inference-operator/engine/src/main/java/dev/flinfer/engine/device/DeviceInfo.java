package dev.flinfer.engine.device;

import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.weights.DType;
import java.util.Set;

/**
 * A device, as its driver describes it.
 *
 * @param id what {@code flinfer.device} names it by, such as {@code opencl:0}; of one backend only
 * @param name the driver's name for it
 * @param memoryBytes its memory
 * @param maxAllocationBytes the largest piece of it
 * @param weightTypes types that matrices can run in on it
 * @param kvCacheTypes types that keys and values can be kept in on it
 */
public record DeviceInfo(
    String id,
    String name,
    Kind kind,
    long memoryBytes,
    long maxAllocationBytes,
    Set<DType> weightTypes,
    Set<KvCacheType> kvCacheTypes) {

  /** What it is. */
  public enum Kind {
    CPU,
    GPU,
    ACCELERATOR
  }

  public DeviceInfo {
    weightTypes = Set.copyOf(weightTypes);
    kvCacheTypes = Set.copyOf(kvCacheTypes);
  }
}
