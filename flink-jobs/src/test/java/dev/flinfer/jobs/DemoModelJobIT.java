package dev.flinfer.jobs;

import dev.flinfer.flink.EngineSupplier;
import java.nio.file.Path;

/** The contract with the real engine and the demo model. */
final class DemoModelJobIT extends CompletionJobContract {

  @Override
  String model() {
    return Path.of("..", "deploy", "demo-model").toAbsolutePath().normalize().toString();
  }

  @Override
  EngineSupplier engines() {
    return EngineSupplier.shared();
  }
}
