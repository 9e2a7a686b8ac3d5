package dev.flinfer.cli.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the metrics and failures of a job from Flink's REST interface. */
final class FlinkRest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration TIMEOUT = Duration.ofSeconds(5);
  private static final String REQUESTS = "inference.inference.requests";
  private static final String REJECTIONS = "inference.inference.rejections";
  private static final String IN_FLIGHT = "inference.inference.in_flight";
  private static final Set<String> COUNTS = Set.of(REQUESTS, REJECTIONS, IN_FLIGHT);

  /** The length of a request's address is limited. */
  private static final int NAMES_PER_REQUEST = 10;

  private static final Pattern POSITION =
      Pattern.compile(".*\\.KafkaSourceReader\\.topic\\..*\\.partition\\.(\\d+)\\.currentOffset");

  private final HttpClient client = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
  private final String job;

  /**
   * @param url of the REST interface
   * @param jobId in Flink's hexadecimal form
   */
  FlinkRest(String url, String jobId) {
    job = url + "/jobs/" + jobId;
  }

  /**
   * What the subtasks report at present.
   *
   * @param positions the offset of the last record that was read, by partition; -1 for none
   */
  record Figures(
      long requests, long rejections, long inFlight, long restarts, Map<Integer, Long> positions) {}

  /**
   * A failure that Flink recorded.
   *
   * @param time in milliseconds since the epoch
   * @param cause the message of its root cause
   */
  record Failure(long time, String cause) {}

  /** Reads the figures; empty while the subtasks do not run. */
  Optional<Figures> figures() throws IOException {
    for (JsonNode vertex : get("").path("vertices")) {
      String metrics = "/vertices/" + vertex.path("id").asText() + "/subtasks/metrics";
      List<String> names = new ArrayList<>();
      for (JsonNode metric : get(metrics)) {
        String name = metric.path("id").asText();
        if (COUNTS.contains(name) || POSITION.matcher(name).matches()) {
          names.add(name);
        }
      }
      if (names.contains(REQUESTS)) {
        return Optional.of(figures(sums(metrics, names)));
      }
    }
    return Optional.empty();
  }

  private Map<String, Long> sums(String metrics, List<String> names) throws IOException {
    Map<String, Long> sums = new HashMap<>();
    for (int from = 0; from < names.size(); from += NAMES_PER_REQUEST) {
      List<String> some = names.subList(from, Math.min(names.size(), from + NAMES_PER_REQUEST));
      for (JsonNode metric : get(metrics + "?agg=sum&get=" + String.join(",", some))) {
        sums.put(metric.path("id").asText(), (long) metric.path("sum").asDouble());
      }
    }
    return sums;
  }

  private Figures figures(Map<String, Long> sums) throws IOException {
    Map<Integer, Long> positions = new HashMap<>();
    sums.forEach(
        (name, sum) -> {
          Matcher position = POSITION.matcher(name);
          if (position.matches()) {
            positions.put(Integer.valueOf(position.group(1)), sum);
          }
        });
    return new Figures(
        sums.getOrDefault(REQUESTS, 0L),
        sums.getOrDefault(REJECTIONS, 0L),
        sums.getOrDefault(IN_FLIGHT, 0L),
        get("/metrics?get=numRestarts").path(0).path("value").asLong(),
        positions);
  }

  /** Returns the job's last failure. */
  Optional<Failure> lastFailure() throws IOException {
    JsonNode entry = get("/exceptions?maxExceptions=1").path("exceptionHistory").path("entries");
    if (entry.isEmpty()) {
      return Optional.empty();
    }
    JsonNode last = entry.get(0);
    return Optional.of(
        new Failure(last.path("timestamp").asLong(), rootCause(last.path("stacktrace").asText())));
  }

  /** Returns the last "Caused by" line of a stack trace, or its first line, without the class. */
  static String rootCause(String stackTrace) {
    String cause = stackTrace.lines().findFirst().orElse("unknown");
    for (String line : stackTrace.lines().toList()) {
      if (line.startsWith("Caused by: ")) {
        cause = line.substring("Caused by: ".length());
      }
    }
    return cause.replaceFirst("^(?:\\w+[.$])*(\\w+): ", "$1: ");
  }

  private JsonNode get(String path) throws IOException {
    HttpRequest request = HttpRequest.newBuilder(URI.create(job + path)).timeout(TIMEOUT).build();
    try {
      HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
      if (response.statusCode() != 200) {
        throw new IOException("Flink answers %d to %s".formatted(response.statusCode(), path));
      }
      return JSON.readTree(response.body());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
