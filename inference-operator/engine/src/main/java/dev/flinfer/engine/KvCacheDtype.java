package dev.flinfer.engine;

/** What the type of keys and values can be set to. */
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

  /** The type, or null for what suits the device. */
  public KvCacheType type() {
    return type;
  }
}
