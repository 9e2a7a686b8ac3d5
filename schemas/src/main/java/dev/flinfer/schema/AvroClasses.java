package dev.flinfer.schema;

import java.util.List;
import org.apache.avro.util.ClassSecurityValidator;

/**
 * Adds the generated classes to Avro's class allow-list, so that no user has to.
 *
 * <p>Since 1.12.2 Avro loads only classes that the system property {@code
 * org.apache.avro.SERIALIZABLE_PACKAGES} or a call of {@link ClassSecurityValidator#setGlobal}
 * names, and it checks the list while it initializes a generated class. Flink's AvroSerializer and
 * a user's own consumer reach these classes without calling any other code of ours, so every
 * generated class calls {@link #trust} first: {@code src/main/velocity} adds the call to Avro's
 * template.
 *
 * <p>Avro's only hook that would run even earlier, a {@code Conversion} found by the service
 * loader, is not used: with the schemas in Flink's {@code lib/} and a second Avro in a job's jar it
 * fails every use of that second Avro ("not a subtype").
 */
final class AvroClasses {
  /** Every class that is generated from {@code src/main/avro}; a test enforces this. */
  static final List<Class<?>> GENERATED =
      List.of(
          Completion.class,
          CompletionOutput.class,
          CompletionRecord.class,
          CompletionRequest.class,
          FinishReason.class,
          GeneratedOutput.class,
          Header.class,
          InFlightRequest.class,
          Rejection.class,
          RejectionStage.class,
          SourceRecord.class,
          StructuredOutputs.class,
          Throughput.class,
          TokenLogprob.class);

  private AvroClasses() {}

  /**
   * Adds our classes to the current list; classes that it already trusts stay trusted. Does nothing
   * if our classes are on it, so that each job of a long-lived cluster does not add another layer.
   */
  static synchronized void trust() {
    ClassSecurityValidator.ClassSecurityPredicate before = ClassSecurityValidator.getGlobal();
    if (GENERATED.stream().allMatch(before::isTrusted)) {
      return;
    }
    // Holds only names: our own predicate would keep the class loader of a finished job alive.
    ClassSecurityValidator.Builder ours = ClassSecurityValidator.builder();
    GENERATED.forEach(type -> ours.add(type.getName()));
    ClassSecurityValidator.setGlobal(ClassSecurityValidator.composite(before, ours.build()));
  }
}
