package dev.flinfer.engine;

import java.util.ServiceLoader;

/**
 * Opens engines. This package is the API and does not depend on an implementation; {@link
 * ServiceLoader} finds the one on the class path, as it finds the backends of devices.
 */
public interface EngineProvider {

  /**
   * Opens a model; see {@link LlmEngine#open}.
   *
   * @param options the model, its device and its limits
   */
  LlmEngine open(EngineOptions options);

  /**
   * Opens a model with a forward pass that costs nothing; see {@link LlmEngine#openFree}.
   *
   * @param options the model and its limits
   */
  LlmEngine openFree(EngineOptions options);

  /**
   * Returns the provider on the class path.
   *
   * @throws EngineException if there is none
   */
  static EngineProvider find() {
    return ServiceLoader.load(EngineProvider.class, EngineProvider.class.getClassLoader())
        .findFirst()
        .orElseThrow(
            () ->
                new EngineException(
                    "no EngineProvider is on the class path; add the flinfer-engine jar with its"
                        + " META-INF/services"));
  }
}
