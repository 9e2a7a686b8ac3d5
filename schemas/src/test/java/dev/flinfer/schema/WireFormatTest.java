package dev.flinfer.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.apache.avro.specific.SpecificRecordBase;
import org.junit.jupiter.api.Test;

/** What both formats promise. */
class WireFormatTest {
  @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
  void whatIsWrittenIsRead(
      @ForAll WireFormat format, @ForAll("records") SpecificRecordBase record) {
    byte[] bytes = writer(format, record).write(record);

    assertThat(reader(format, record).read(bytes)).isEqualTo(record);
  }

  @Property(tries = 100, edgeCases = EdgeCasesMode.NONE)
  void jsonIsOneLine(@ForAll("records") SpecificRecordBase record) {
    String json = new String(writer(WireFormat.JSON, record).write(record), StandardCharsets.UTF_8);

    assertThat(json).startsWith("{").endsWith("}").doesNotContain("\n", "\r", ":null");
  }

  @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
  void aTruncatedRecordIsAnError(
      @ForAll WireFormat format, @ForAll("records") SpecificRecordBase record, @ForAll int seed) {
    byte[] bytes = writer(format, record).write(record);
    byte[] cut = java.util.Arrays.copyOf(bytes, Math.floorMod(seed, bytes.length));

    assertThatThrownBy(() -> reader(format, record).read(cut))
        .isInstanceOf(WireFormatException.class)
        .hasMessageStartingWith("not a " + record.getClass().getSimpleName() + " in ");
  }

  @Property(tries = 1000, edgeCases = EdgeCasesMode.NONE)
  void aDamagedRecordIsReadOrIsAnError(
      @ForAll WireFormat format,
      @ForAll("records") SpecificRecordBase record,
      @ForAll int seed,
      @ForAll byte damage) {
    byte[] bytes = writer(format, record).write(record);
    bytes[Math.floorMod(seed, bytes.length)] = damage;

    try {
      assertThat(reader(format, record).read(bytes)).isNotNull();
    } catch (WireFormatException e) {
      assertThat(e).hasMessageStartingWith("not a " + record.getClass().getSimpleName());
    }
  }

  @Property(tries = 1000, edgeCases = EdgeCasesMode.NONE)
  void anyBytesAreReadOrAnError(
      @ForAll WireFormat format,
      @ForAll("records") SpecificRecordBase record,
      @ForAll byte[] tail) {
    byte[] start = writer(format, record).write(record);
    int kept = Math.min(start.length, AvroWriter.HEADER_LENGTH);
    byte[] bytes = java.util.Arrays.copyOf(start, kept + tail.length);
    System.arraycopy(tail, 0, bytes, kept, tail.length);

    try {
      assertThat(reader(format, record).read(bytes)).isNotNull();
    } catch (WireFormatException e) {
      assertThat(e).hasMessageStartingWith("not a " + record.getClass().getSimpleName());
    }
  }

  @Test
  void formatsHaveNames() {
    assertThat(WireFormat.of("avro")).isEqualTo(WireFormat.AVRO).hasToString("avro");
    assertThat(WireFormat.of("JSON")).isEqualTo(WireFormat.JSON).hasToString("json");
    assertThatThrownBy(() -> WireFormat.of("xml"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("wire format \"xml\" is not known; choose avro or json");
  }

  @Test
  void aTombstoneIsAnError() {
    for (WireFormat format : WireFormat.values()) {
      assertThatThrownBy(() -> format.reader(Completion.class).read(null))
          .isInstanceOf(WireFormatException.class)
          .hasMessageEndingWith("the value is null, a tombstone");
    }
  }

  @Provide
  Arbitrary<? extends SpecificRecordBase> records() {
    return SchemaArbitraries.records().map(SpecificRecordBase.class::cast);
  }

  @SuppressWarnings("unchecked")
  private static WireFormat.Writer<SpecificRecordBase> writer(
      WireFormat format, SpecificRecordBase record) {
    return format.writer((Class<SpecificRecordBase>) record.getClass());
  }

  @SuppressWarnings("unchecked")
  private static WireFormat.Reader<SpecificRecordBase> reader(
      WireFormat format, SpecificRecordBase record) {
    return format.reader((Class<SpecificRecordBase>) record.getClass());
  }
}
