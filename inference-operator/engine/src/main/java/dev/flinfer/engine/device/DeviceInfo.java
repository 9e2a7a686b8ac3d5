package dev.flinfer.engine.device;

import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.weights.DType;
import java.util.Set;

/**
 * A device, as its driver describes it.
 *
 * @param id its name in {@code flinfer.device}, such as {@code opencl:0}; only one backend uses it
 * @param name the driver's name for it
 * @param memoryBytes its memory
 * @param maxAllocationBytes the largest single allocation
 * @param weightTypes types in which matrices can run on it
 * @param kvCacheTypes types in which keys and values can be stored on it
 */
public record DeviceInfo(
    String id,
    String name,
    Kind kind,
    long memoryBytes,
    long maxAllocationBytes,
    Set<DType> weightTypes,
    Set<KvCacheType> kvCacheTypes) {

  /** The kind of device, as its driver reports it. */
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
