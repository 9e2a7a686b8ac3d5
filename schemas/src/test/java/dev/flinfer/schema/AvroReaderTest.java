package dev.flinfer.schema;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the Avro reader says to bytes that are not a record. */
class AvroReaderTest {
  private static final String NOT_A_REQUEST =
      "not a CompletionRequest in Avro's single-object encoding: ";

  private final WireFormat.Reader<CompletionRequest> reader =
      WireFormat.AVRO.reader(CompletionRequest.class);
  private final byte[] request =
      WireFormat.AVRO
          .writer(CompletionRequest.class)
          .write(CompletionRequest.newBuilder().setId("a1").setPrompt("Hello").build());

  @Test
  void aWrongStartIsNamed() {
    assertThat(error(new byte[0]))
        .hasMessage(
            NOT_A_REQUEST + "it is empty; it must start with C3 01 and eight bytes of fingerprint");
    assertThat(error(new byte[] {0, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6}))
        .hasMessage(
            NOT_A_REQUEST
                + "it starts with 00 00; it must start with C3 01 and eight bytes of fingerprint");
    assertThat(error("{\"prompt\": \"x\"}".getBytes(UTF_8)))
        .hasMessageEndingWith("; it looks like JSON: set the format to json");
    assertThat(error(Arrays.copyOf(request, 9))).hasMessageContaining("it has only 9 bytes");
  }

  @Test
  void anUnknownFingerprintIsNamed() {
    byte[] header = WireFormat.AVRO.writer(Header.class).write(new Header("n", null));
    System.arraycopy(new byte[] {1, 2, 3, 4, 5, 6, 7, (byte) 0xF8}, 0, header, 2, 8);

    assertThat(error(header))
        .hasMessage(
            NOT_A_REQUEST
                + "the schema with fingerprint f807060504030201 is unknown; the record is of another"
                + " type or was written by a newer version of Flinfer");
  }

  @Test
  void bytesAfterTheRecordAreAnError() {
    WireFormatException error = error(Arrays.copyOf(request, request.length + 3));

    assertThat(error)
        .hasMessage(
            NOT_A_REQUEST + "3 bytes follow the record; a value must hold exactly one record");
    assertThat(error.recordId()).isEqualTo("a1");
  }

  @Test
  void aStringThatIsNotUtf8IsRefused() {
    byte[] damaged =
        WireFormat.AVRO
            .writer(CompletionRequest.class)
            .write(CompletionRequest.newBuilder().setId("a1").setPrompt("Hello").build());
    int at = new String(damaged, StandardCharsets.ISO_8859_1).indexOf("llo");
    damaged[at] = (byte) 0xE9; // an accented letter in Latin 1

    WireFormatException error = error(damaged);

    assertThat(error)
        .hasMessage(
            NOT_A_REQUEST
                + "the record is damaged: byte 2 of a string of 5 bytes (E9) is not UTF-8");
    assertThat(error.recordId()).isEqualTo("a1");
  }

  @Test
  void aTruncatedRecordKeepsItsId() {
    WireFormatException error = error(Arrays.copyOf(request, request.length - 3));

    assertThat(error)
        .hasMessage(
            NOT_A_REQUEST
                + "the record ends early; the value has only "
                + (request.length - 3)
                + " bytes");
    assertThat(error.recordId()).isEqualTo("a1");
  }

  @ParameterizedTest
  @ValueSource(
      longs = {
        100,
        1 << 20,
        Integer.MAX_VALUE - 8,
        Integer.MAX_VALUE,
        1L << 40,
        -1,
        Long.MIN_VALUE
      })
  void lengthsAreNotBelieved(long length) throws IOException {
    assertRefusedCheaply(
        e -> {
          e.writeIndex(1);
          e.writeLong(length);
        });
    assertRefusedCheaply(
        e -> {
          e.writeIndex(0);
          e.writeIndex(0);
          e.writeIndex(1);
          e.writeLong(length);
        });
    assertRefusedCheaply(
        e -> {
          noPrompt(e);
          e.writeLong(length);
        });
    assertRefusedCheaply(
        e -> {
          noPrompt(e);
          e.writeLong(-length);
          e.writeLong(8);
        });
    assertRefusedCheaply(
        e -> {
          noPrompt(e);
          e.writeLong(0);
          for (int i = 0; i < 2; i++) {
            e.writeIndex(0);
          }
          e.writeLong(0);
          e.writeIndex(0);
          e.writeLong(length);
        });
  }

  private static void noPrompt(BinaryEncoder out) throws IOException {
    for (int i = 0; i < 3; i++) {
      out.writeIndex(0);
    }
    out.writeInt(1);
    out.writeDouble(1);
    out.writeDouble(1);
    out.writeInt(0);
  }

  private interface Body {
    void write(BinaryEncoder out) throws IOException;
  }

  private void assertRefusedCheaply(Body body) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write(request, 0, AvroWriter.HEADER_LENGTH);
    BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
    body.write(encoder);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();

    WireFormatException error = error(bytes.toByteArray());

    assertThat(error).hasMessageStartingWith(NOT_A_REQUEST + "the record ");
    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(4 << 20);
  }

  private WireFormatException error(byte[] bytes) {
    WireFormatException error =
        catchThrowableOfType(WireFormatException.class, () -> reader.read(bytes));
    assertThat(error).isNotNull();
    return error;
  }
}
