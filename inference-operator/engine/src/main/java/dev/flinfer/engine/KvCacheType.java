package dev.flinfer.engine;

import java.util.Locale;

/** Types in which keys and values can be stored. */
public enum KvCacheType {
  F32(4),
  F16(2),
  /** 8-bit integers with a float scale for each 32 dimensions of a head. */
  Q8_0(1);

  private final int bytes;

  KvCacheType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of one element, without scales. */
  public int bytes() {
    return bytes;
  }

  /** The type as options spell it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
