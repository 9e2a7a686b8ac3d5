package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.RejectionStage;
import dev.flinfer.schema.SourceRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Records that the operator rejects, and at which stage. */
@Timeout(20)
final class InferenceOperatorRejectionTest {
  @Test
  void aRecordThatCannotBeReadIsRejectedWithItsBytes() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(2)) {
      harness.process(3, "!x");
      harness.process(4, "b:hello:1");
      harness.finish("b");

      assertThat(harness.rejections()).hasSize(1);
      assertFirstRejection(
          harness,
          RejectionStage.DESERIALIZE,
          "dev.flinfer.schema.WireFormatException: '!' at byte 0 is not an id",
          "x",
          TestRecords.record(3, "!x"));
      assertThat(harness.flink.getSideOutput(InferenceOperator.REJECTIONS).peek().getTimestamp())
          .isEqualTo(OperatorHarness.eventTime(3));
      harness.assertOutput("b");
    }
  }

  @Test
  void aRequestThatIsNotValidIsRejected() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(1)) {
      harness.process(3, "a::1");
      harness.process(4, "::1");
      harness.process(5, "b:hello:1"); // would wait if a rejected request kept its place
      harness.finish("b");

      assertThat(harness.rejections()).hasSize(2);
      assertFirstRejection(
          harness,
          RejectionStage.VALIDATE,
          "dev.flinfer.engine.InvalidRequestException: prompt is empty; it must have at least one"
              + " token",
          "a",
          TestRecords.record(3, "a::1"));
      assertThat(harness.rejections().get(1).getId()).isEqualTo("prompts-7-4");
      harness.assertOutput("b");
    }
  }

  @Test
  void anErrorWhileOneRecordIsReadOrCheckedRejectsIt() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(2)) {
      harness.process(0, "#overflow");
      harness.process(1, "#memory");
      harness.process(2, "#defect");
      harness.process(3, "a:#defect:1");
      harness.process(4, "b:hello:1");
      harness.finish("b");

      assertThat(harness.rejections())
          .map(Rejection::getStage)
          .containsExactly(
              RejectionStage.DESERIALIZE,
              RejectionStage.DESERIALIZE,
              RejectionStage.DESERIALIZE,
              RejectionStage.VALIDATE);
      assertThat(harness.rejections())
          .map(Rejection::getErrorMessage)
          .containsExactly(
              "the record of 9 bytes cannot be read: java.lang.StackOverflowError; it needs more"
                  + " memory than there is",
              "the record of 7 bytes cannot be read: java.lang.OutOfMemoryError: Java heap space; it"
                  + " needs more memory than there is",
              "a defect",
              "a defect");
      assertThat(harness.rejections().get(3).getId()).isEqualTo("a");
      harness.assertOutput("b");
    }
  }

  @Test
  void aPatternThatIsFoundToBeInvalidLaterRejectsItsRequest() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(1)) {
      harness.process(3, "a:hello:5");
      harness.engine.refusePattern("a", "structured_outputs.regex is invalid");
      harness.runMails();
      harness.process(4, "b:hello:1"); // would wait if a kept its place
      harness.finish("b");

      Rejection rejection = harness.rejections().get(0);
      assertThat(rejection.getStage()).isEqualTo(RejectionStage.VALIDATE);
      assertThat(rejection.getErrorClass()).isEqualTo("dev.flinfer.engine.InvalidRequestException");
      assertThat(rejection.getErrorMessage()).isEqualTo("structured_outputs.regex is invalid");
      assertThat(rejection.getId()).isEqualTo("a");
      assertThat(rejection.getAttempts()).isZero();
      harness.assertOutput("b");
    }
  }

  @Test
  void aRequestOnWhichTheForwardPassFailsIsRejectedWithItsAttempts() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(2)) {
      harness.process(3, "a:hello:5");
      harness.process(4, "b:hello:1");
      assertThat(harness.engine.maxAttempts("a")).isEqualTo(3);
      harness.engine.giveUp("a", 3);
      harness.runMails();
      harness.process(5, "c:hello:1"); // would wait if a kept its place
      harness.finish("b", "c");

      assertThat(harness.rejections()).hasSize(1);
      assertFirstRejection(
          harness,
          RejectionStage.GENERATE,
          "dev.flinfer.engine.RequestFailedException: The forward pass over request a alone failed",
          "a",
          TestRecords.record(3, "a:hello:5"));
      assertThat(harness.rejections().get(0).getAttempts()).isEqualTo(3);
      harness.assertOutput("b", "c");
    }
  }

  private static void assertFirstRejection(
      OperatorHarness harness, RejectionStage stage, String error, String id, SourceRecord record) {
    Rejection rejection = harness.rejections().get(0);
    assertThat(rejection.getStage()).isEqualTo(stage);
    assertThat(rejection.getErrorClass() + ": " + rejection.getErrorMessage()).isEqualTo(error);
    assertThat(rejection.getId()).isEqualTo(id);
    assertThat(rejection.getRecord()).isEqualTo(record);
  }
}
