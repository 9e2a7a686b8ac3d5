package dev.flinfer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.config.ConfigurationSource;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.xml.XmlConfiguration;
import org.apache.logging.log4j.core.impl.Log4jLogEvent;
import org.apache.logging.log4j.message.SimpleMessage;
import org.junit.jupiter.api.Test;

/** The logging of the command line: {@code flinfer-log4j2.xml}. */
final class LoggingTest {
  private static final String METRICS = "org.apache.flink.metrics.MetricGroup";

  private static boolean isLogged(String message) throws Exception {
    XmlConfiguration logging =
        new XmlConfiguration(
            null,
            ConfigurationSource.fromUri(
                LoggingTest.class.getResource("/flinfer-log4j2.xml").toURI()));
    logging.initialize();
    LogEvent event =
        Log4jLogEvent.newBuilder()
            .setLoggerName(METRICS)
            .setLevel(Level.WARN)
            .setMessage(new SimpleMessage(message))
            .build();
    LoggerConfig logger = logging.getLoggerConfig(METRICS);
    return logger.getLevel().isLessSpecificThan(Level.WARN) && !logger.isFiltered(event);
  }

  /** Flink 2.3 logs it for each sink at each checkpoint. */
  @Test
  void theWarningOfEachCheckpointIsNotLogged() throws Exception {
    String collision =
        "Name collision: Group already contains a Metric with the name '%s'. Metric will not be"
            + " reported.[, taskmanager, flinfer, completions: Committer, 0]";
    assertThat(isLogged(collision.formatted("pendingCommittables"))).isFalse();
    assertThat(isLogged(collision.formatted("another"))).isTrue();
  }
}
