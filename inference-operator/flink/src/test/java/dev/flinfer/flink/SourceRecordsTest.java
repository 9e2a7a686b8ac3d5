package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.schema.Header;
import dev.flinfer.schema.SourceRecord;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SourceRecordsTest {
  @Test
  void aCopyIsEqualAndSharesNoMutableState() {
    byte[] bytes = {1, 2, 3, 4};
    ByteBuffer value = ByteBuffer.wrap(bytes, 1, 2);
    List<Header> headers =
        new ArrayList<>(
            List.of(new Header("a", ByteBuffer.wrap(new byte[] {7})), new Header("b", null)));
    SourceRecord record = new SourceRecord("prompts", 2, 30L, 400L, null, value, headers);

    SourceRecord copy = SourceRecords.copy(record);

    assertThat(copy).isEqualTo(record);
    bytes[1] = 9;
    headers.get(0).getValue().put(0, (byte) 8);
    headers.clear();
    assertThat(copy.getValue()).isEqualTo(ByteBuffer.wrap(new byte[] {2, 3}));
    assertThat(copy.getHeaders())
        .containsExactly(new Header("a", ByteBuffer.wrap(new byte[] {7})), new Header("b", null));
    assertThat(value.remaining()).isEqualTo(2);
  }
}
