package dev.flinfer.jobs.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.junit.jupiter.api.Test;

final class GuardedEnumeratorTest {
  private final List<String> calls = new ArrayList<>();

  @SuppressWarnings("unchecked") // the proxy implements that interface
  private final SplitEnumerator<KafkaPartitionSplit, String> kafka =
      (SplitEnumerator<KafkaPartitionSplit, String>)
          Proxy.newProxyInstance(
              GuardedEnumeratorTest.class.getClassLoader(),
              new Class<?>[] {SplitEnumerator.class},
              (proxy, method, arguments) -> call(method));

  private String call(Method method) {
    calls.add(method.getName());
    if (method.getName().equals("close")) {
      throw new IllegalStateException("no broker");
    }
    return method.getReturnType() == Object.class ? "state" : null;
  }

  @Test
  void aFailureToCloseIsNotThrown() throws Exception {
    new GuardedEnumerator<>(kafka).close();
    assertThat(calls).containsExactly("close");
  }

  @Test
  void everythingElseIsKafkas() throws Exception {
    SplitEnumerator<KafkaPartitionSplit, String> enumerator = new GuardedEnumerator<>(kafka);
    enumerator.start();
    enumerator.addReader(0);
    enumerator.addSplitsBack(List.of(), 0);
    enumerator.handleSplitRequest(0, "host");
    enumerator.handleSourceEvent(0, null);
    assertThat(enumerator.snapshotState(1)).isEqualTo("state");
    enumerator.notifyCheckpointComplete(1);
    enumerator.notifyCheckpointAborted(2);
    assertThat(calls)
        .containsExactly(
            "start",
            "addReader",
            "addSplitsBack",
            "handleSplitRequest",
            "handleSourceEvent",
            "snapshotState",
            "notifyCheckpointComplete",
            "notifyCheckpointAborted");
  }
}
