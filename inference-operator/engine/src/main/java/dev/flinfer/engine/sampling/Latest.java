package dev.flinfer.engine.sampling;

import java.util.LinkedHashMap;
import java.util.Map;

/** Keeps the most recently used entries, up to a maximum number. */
final class Latest<K, V> extends LinkedHashMap<K, V> {
  private static final long serialVersionUID = 1;

  private final int max;

  Latest(int max) {
    super(16, 0.75f, true);
    this.max = max;
  }

  @Override
  protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
    return size() > max;
  }
}
