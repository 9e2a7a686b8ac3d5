package dev.flinfer.engine;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * Engines that are shared within the process, so that a device holds one copy of the weights. The
 * first user of an engine opens it; the engine is closed when the last user closes its share.
 */
public final class SharedEngines {
  private static final SharedEngines OF_PROCESS = new SharedEngines(LlmEngine::open);

  private final Map<EngineOptions, Shared> engines = new HashMap<>();
  private final Function<EngineOptions, LlmEngine> opener;

  /**
   * @param opener opens an engine that no user shares yet
   */
  public SharedEngines(Function<EngineOptions, LlmEngine> opener) {
    this.opener = opener;
  }

  /**
   * The engines of this process. On a cluster the engine's jar is in Flink's {@code lib/}, so that
   * all jobs of a TaskManager share one instance of this class.
   */
  public static SharedEngines ofProcess() {
    return OF_PROCESS;
  }

  /** Returns the engine for the options, a new one if it failed; the caller closes it. */
  public synchronized LlmEngine acquire(EngineOptions options) {
    engines.computeIfPresent(options, (o, shared) -> shared.engine.failed() ? null : shared);
    Shared shared = engines.computeIfAbsent(options, o -> new Shared(o, opener.apply(o)));
    shared.users++;
    return new Share(shared);
  }

  private synchronized void release(Shared shared) {
    if (--shared.users == 0) {
      engines.remove(shared.options, shared);
      shared.engine.close();
    }
  }

  private static final class Shared {
    final EngineOptions options;
    final LlmEngine engine;
    int users;

    Shared(EngineOptions options, LlmEngine engine) {
      this.options = options;
      this.engine = engine;
    }
  }

  /** One user's view; closing it twice releases it once. */
  private final class Share extends ForwardingEngine {
    private final Shared shared;
    private boolean closed;

    Share(Shared shared) {
      super(shared.engine);
      this.shared = shared;
    }

    @Override
    public synchronized void close() {
      if (!closed) {
        closed = true;
        release(shared);
      }
    }
  }
}
