package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.Throughput;
import java.util.Map;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.formats.avro.typeutils.AvroTypeInfo;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.JobVertex;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.junit.jupiter.api.Test;

final class InferenceTest {
  private static final Configuration OPTIONS =
      Configuration.fromMap(Map.of("flinfer.model", "phi-2"));

  private final StreamExecutionEnvironment env =
      StreamExecutionEnvironment.getExecutionEnvironment().setParallelism(2);
  private final DataStream<SourceRecord> input =
      env.fromSequence(0, 9)
          .map(i -> TestRecords.record(i, ""))
          .returns(TypeInformation.of(SourceRecord.class));

  @Test
  void allThreeOutputsTravelAsAvro() {
    Inference inference = Inference.of(input, OPTIONS);
    assertThat(inference.completions().getType())
        .isEqualTo(new AvroTypeInfo<>(CompletionRecord.class));
    assertThat(inference.rejections().getType()).isEqualTo(new AvroTypeInfo<>(Rejection.class));
    assertThat(inference.throughput().getType()).isEqualTo(new AvroTypeInfo<>(Throughput.class));
  }

  @Test
  void isChainedToItsInputAndTravelsToTheTaskManagers() {
    Inference inference = Inference.of(input, OPTIONS);
    inference.completions().sinkTo(new DiscardingSink<>());

    JobGraph job = env.getStreamGraph().getJobGraph(); // serializes the operator

    assertThat(job.getVertices())
        .extracting(JobVertex::getName)
        .singleElement()
        .asString()
        .startsWith("Source: Sequence Source -> Map -> inference -> ");
    assertThat(inference.completions().getTransformation().getUid()).isEqualTo("flinfer-inference");
  }

  @Test
  void wrongOptionsAreRefusedBeforeTheJobStarts() {
    assertThatThrownBy(() -> Inference.of(input, new Configuration()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("flinfer.model is not set; ");
  }
}
