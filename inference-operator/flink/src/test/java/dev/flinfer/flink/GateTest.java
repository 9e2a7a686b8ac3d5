package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

final class GateTest {
  private final Gate gate = new Gate();

  @Test
  void isOpenUntilAnOperatorIsFull() {
    Gate.Bar bar = gate.bar();
    assertThat(gate.isOpen()).isTrue();
    assertThat(gate.opened()).isDone();

    bar.shutIf(true);
    bar.shutIf(true);
    CompletableFuture<Void> opened = gate.opened();
    assertThat(gate.isOpen()).isFalse();
    assertThat(opened).isNotDone();

    bar.shutIf(false);
    assertThat(gate.isOpen()).isTrue();
    assertThat(opened).isDone();
  }

  @Test
  void opensWhenNoOperatorIsFull() {
    Gate.Bar first = gate.bar();
    Gate.Bar second = gate.bar();
    first.shutIf(true);
    second.shutIf(true);
    CompletableFuture<Void> opened = gate.opened();
    first.shutIf(false);
    assertThat(gate.isOpen()).isFalse();
    assertThat(opened).isNotDone();
    second.shutIf(false);
    assertThat(opened).isDone();
  }

  @Test
  void eachTaskHasItsOwn() throws Exception {
    Gate[] other = new Gate[1];
    Thread task = new Thread(() -> other[0] = Gate.ofTask());
    task.start();
    task.join();
    assertThat(Gate.ofTask()).isSameAs(Gate.ofTask()).isNotSameAs(other[0]);
  }
}
