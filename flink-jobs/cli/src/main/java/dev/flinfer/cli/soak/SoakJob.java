package dev.flinfer.cli.soak;

import dev.flinfer.cli.EngineArguments;
import dev.flinfer.cli.Text;
import dev.flinfer.cli.local.LocalJob;
import dev.flinfer.cli.state.StateDirectory;
import dev.flinfer.flink.FlinferOptions;
import dev.flinfer.jobs.KafkaOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.function.Consumer;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestartStrategyOptions;

/** A job that is disturbed while it runs. */
final class SoakJob implements AutoCloseable {
  private static final int MAX_PARALLELISM = 3;
  private static final Duration CHECKPOINT_INTERVAL = Duration.ofSeconds(1);
  private static final Duration TIMEOUT = Duration.ofMinutes(2);

  private final Configuration config;
  private final StateDirectory state;
  private final Random random;
  private final Consumer<String> events;
  private final LocalJob job;
  private int parallelism = 1;
  private int kills;
  private int rescales;

  private SoakJob(
      Configuration config, StateDirectory state, Random random, Consumer<String> events)
      throws IOException {
    this.config = config;
    this.state = state;
    this.random = random;
    this.events = events;
    job = LocalJob.start(state.begin(config), parallelism, MAX_PARALLELISM, 0);
  }

  /**
   * @param events receives a description of each disturbance
   */
  static SoakJob start(
      String bootstrapServers,
      Path model,
      EngineArguments engine,
      StateDirectory state,
      Random random,
      Consumer<String> events)
      throws IOException {
    Configuration config = new Configuration();
    config.set(KafkaOptions.BOOTSTRAP_SERVERS, bootstrapServers);
    config.set(FlinferOptions.MODEL, model.toAbsolutePath().toString());
    config.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, CHECKPOINT_INTERVAL);
    config.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
    config.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_ATTEMPTS, Integer.MAX_VALUE);
    engine.addTo(config);
    return new SoakJob(config, state, random, events);
  }

  /**
   * Kills the TaskManager, or stops the job with a savepoint and restarts it with another
   * parallelism.
   */
  void disturb() throws IOException {
    if (random.nextInt(3) > 0) {
      kills++;
      events.accept("kills the TaskManager");
      job.replaceTaskManager();
      return;
    }
    rescales++;
    int before = parallelism;
    parallelism = 1 + (before + random.nextInt(MAX_PARALLELISM - 1)) % MAX_PARALLELISM;
    events.accept("stops with a savepoint; parallelism %d -> %d".formatted(before, parallelism));
    job.suspend(state, TIMEOUT);
    job.submit(state.begin(config), parallelism);
  }

  /** Finishes and commits the requests in flight, and ends the job. */
  void drain() throws IOException {
    job.drain(TIMEOUT);
  }

  String disturbances() {
    return "%s of the TaskManager, %s"
        .formatted(Text.plural(kills, "kill"), Text.plural(rescales, "rescale"));
  }

  boolean hasEnded() {
    return job.hasEnded();
  }

  @Override
  public void close() {
    job.close();
  }
}
