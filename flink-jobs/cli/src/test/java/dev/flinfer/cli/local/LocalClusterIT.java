package dev.flinfer.cli.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.junit.jupiter.api.Test;

final class LocalClusterIT {

  @Test
  void runsAJobAndShowsItInItsWebUi() throws Exception {
    LocalCluster cluster = LocalCluster.start(1);
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.getExecutionEnvironment(new Configuration());
    env.setParallelism(1);
    env.fromSequence(1, 3).sinkTo(new DiscardingSink<>());
    JobClient job = cluster.submit(env);
    job.getJobExecutionResult().get();

    assertThat(cluster.webUrl()).startsWith("http://127.0.0.1:");
    assertThat(get(cluster.webUrl()).body()).contains("Apache Flink Web Dashboard");
    assertThat(get(cluster.webUrl() + "/jobs").body()).contains(job.getJobID().toString());
    assertThat(get(cluster.webUrl() + "/jars").statusCode()).as("no jar upload").isEqualTo(404);
    cluster.close();
    cluster.close();
  }

  @Test
  void namesAPortThatIsInUse() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      assertThatThrownBy(() -> LocalCluster.start(1, taken.getLocalPort()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageStartingWith(
              "The local Flink cluster does not start with its web UI on 127.0.0.1:%d: ",
              taken.getLocalPort())
          .hasMessageContaining("Could not start rest endpoint on any port");
    }
  }

  private static HttpResponse<String> get(String url) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
    }
  }
}
