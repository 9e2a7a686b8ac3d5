package dev.flinfer.cli.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

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

  /** These are all the servers of run, quickstart and soak. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void clusterAndBrokerListenOnTheLoopbackInterfaceOnly() throws Exception {
    try (LocalCluster cluster = LocalCluster.start(1);
        EmbeddedKafka kafka = EmbeddedKafka.start()) {
      assertThat(ListeningSockets.all())
          .as("Flink's REST and BlobServer, Kafka's broker and controller")
          .hasSizeGreaterThanOrEqualTo(4);
      assertThat(ListeningSockets.reachable()).isEmpty();
    }
  }

  @Test
  void theRestInterfaceCanOnlyBeRead() throws Exception {
    String job = "/jobs/00000000000000000000000000000000";
    try (LocalCluster cluster = LocalCluster.start(1)) {
      for (String request :
          List.of(
              "DELETE /cluster",
              "POST /jobs",
              "PATCH " + job + "?mode=cancel",
              "GET " + job + "/yarn-cancel",
              "POST " + job + "/stop")) {
        String[] parts = request.split(" ");
        HttpResponse<String> response =
            send(cluster.webUrl() + parts[1], parts[0], HttpRequest.BodyPublishers.ofString("{}"));

        assertThat(response.statusCode()).as(request).isEqualTo(403);
        assertThat(response.body()).as(request).contains("can only be read");
      }
      String url = cluster.webUrl() + "/config";
      await(() -> get(url).statusCode() == 200); // 503 until the cluster has a leader
      HttpResponse<String> config = get(url);
      assertThat(config.headers().firstValue("Access-Control-Allow-Origin"))
          .as("no page of another site can read it")
          .hasValue("http://127.0.0.1");
    }
  }

  @Test
  void anotherTaskManagerTakesThePlaceOfALostOne() throws Exception {
    try (LocalCluster cluster = LocalCluster.start(1)) {
      await(() -> cluster.taskManagers() == 1);
      cluster.terminateTaskManager();
      await(() -> cluster.taskManagers() == 0);

      cluster.addTaskManager();

      await(() -> cluster.taskManagers() == 1);
    }
  }

  private static void await(Callable<Boolean> condition) throws Exception {
    Instant end = Instant.now().plusSeconds(60);
    while (!condition.call()) {
      assertThat(Instant.now()).isBefore(end);
      TimeUnit.MILLISECONDS.sleep(50);
    }
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
    return send(url, "GET", HttpRequest.BodyPublishers.noBody());
  }

  private static HttpResponse<String> send(
      String url, String method, HttpRequest.BodyPublisher body) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(URI.create(url)).method(method, body).build(),
          HttpResponse.BodyHandlers.ofString());
    }
  }
}
