package dev.flinfer.engine;

/** The values of {@link EngineOption#KV_CACHE_DTYPE}. */
public enum KvCacheDtype {
  /** f16 where the device supports it, or else f32. */
  AUTO(null),
  F32(KvCacheType.F32),
  F16(KvCacheType.F16),
  Q8_0(KvCacheType.Q8_0);

  private final KvCacheType type;

  KvCacheDtype(KvCacheType type) {
    this.type = type;
  }

  /** The type; null for {@link #AUTO}, which leaves the choice to the device. */
  public KvCacheType type() {
    return type;
  }
}
