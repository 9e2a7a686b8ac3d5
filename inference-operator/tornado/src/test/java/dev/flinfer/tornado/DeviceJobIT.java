package dev.flinfer.tornado;

import static dev.flinfer.engine.EngineOption.DEVICE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.flinfer.engine.DeviceSpecifier;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.flink.FlinferOptions;
import dev.flinfer.flink.Inference;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.WireFormat;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.formats.avro.typeutils.AvroTypeInfo;
import org.apache.flink.runtime.testutils.MiniClusterResourceConfiguration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.test.junit5.MiniClusterExtension;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The operator on a MiniCluster with its engine on an OpenCL device, beside the Java CPU engine.
 */
@Timeout(300)
final class DeviceJobIT {
  private static final int PARALLELISM = 2;
  private static final int TICKETS = 40;
  private static final Path DEMO_MODEL = Path.of("..", "..", "deploy", "demo-model");

  @RegisterExtension
  static final MiniClusterExtension CLUSTER =
      new MiniClusterExtension(
          new MiniClusterResourceConfiguration.Builder()
              .setNumberTaskManagers(1)
              .setNumberSlotsPerTaskManager(PARALLELISM)
              .build());

  @Test
  void aJobOnADeviceGivesTheTextsOfTheCpuEngine() throws Exception {
    String device =
        new TornadoBackend()
            .devices().stream()
                .map(info -> info.id())
                .filter(id -> id.startsWith("opencl:"))
                .findFirst()
                .orElse(null);
    assumeTrue(device != null, "this SDK finds no OpenCL device; install a driver, such as PoCL");
    List<String> requests = Files.readAllLines(DEMO_MODEL.resolve("held-out.jsonl"));
    requests = requests.subList(0, TICKETS);

    assertThat(onCluster(device, requests)).isEqualTo(onCpu(requests));
  }

  @SuppressWarnings("try") // the iterator's close throws whatever the job threw
  private static Map<String, String> onCluster(String device, List<String> requests)
      throws Exception {
    Configuration config = new Configuration();
    config.set(PipelineOptions.GENERIC_TYPES, false);
    config.set(FlinferOptions.MODEL, DEMO_MODEL.toAbsolutePath().toString());
    config.setString(FlinferOptions.NAMES.of(DEVICE), device);
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.getExecutionEnvironment(config).setParallelism(PARALLELISM);
    env.enableCheckpointing(200);
    List<SourceRecord> records = new ArrayList<>();
    for (String request : requests) {
      ByteBuffer value = ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8));
      records.add(
          new SourceRecord("tickets", 0, (long) records.size(), 0L, null, value, List.of()));
    }
    DataStream<SourceRecord> input =
        env.fromData(records, new AvroTypeInfo<>(SourceRecord.class)).rebalance();
    Map<String, String> texts = new TreeMap<>();
    try (CloseableIterator<String> lines =
        Inference.of(input, config)
            .completions()
            .map(record -> line(record.getCompletion()))
            .returns(Types.STRING)
            .executeAndCollect()) {
      lines.forEachRemaining(line -> texts.put(line.split("\n", 2)[0], line.split("\n", 2)[1]));
    }
    return texts;
  }

  private static Map<String, String> onCpu(List<String> requests) throws Exception {
    WireFormat.Reader<CompletionRequest> reader = WireFormat.JSON.reader(CompletionRequest.class);
    Map<String, String> texts = new TreeMap<>();
    try (LlmEngine engine =
        LlmEngine.open(
            EngineOptions.builder(DEMO_MODEL.toString())
                .set(DEVICE, DeviceSpecifier.CPU)
                .build())) {
      List<CompletableFuture<Completion>> completions = new ArrayList<>();
      for (String request : requests) {
        completions.add(
            engine
                .submit(reader.read(request.getBytes(StandardCharsets.UTF_8)))
                .toCompletableFuture());
      }
      for (CompletableFuture<Completion> completion : completions) {
        Completion done = completion.get(60, TimeUnit.SECONDS);
        texts.put(done.getId(), line(done).split("\n", 2)[1]);
      }
    }
    return texts;
  }

  private static String line(Completion completion) {
    return "%s\n%s %s"
        .formatted(completion.getId(), completion.getTokenIds(), completion.getText());
  }
}
