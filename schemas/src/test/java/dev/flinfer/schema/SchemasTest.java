package dev.flinfer.schema;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The schema files are the contract: documented, and kept for those who read old records. */
class SchemasTest {
  @ParameterizedTest
  @MethodSource("generated")
  void everyTypeAndFieldHasADoc(Class<?> type) {
    Schema schema = SpecificData.get().getSchema(type);

    assertThat(schema.getDoc()).as("doc of %s", schema.getName()).isNotBlank();
    if (schema.getType() == Schema.Type.RECORD) {
      for (Schema.Field field : schema.getFields()) {
        assertThat(field.doc()).as("doc of %s.%s", schema.getName(), field.name()).isNotBlank();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("records")
  void theNewestKeptSchemaIsTheCurrentOne(Class<?> type) {
    Schema schema = SpecificData.get().getSchema(type);
    String line = SchemaNormalization.toParsingForm(schema);
    List<Schema> history = SchemaHistory.of(type);
    Schema newest = history.isEmpty() ? null : history.get(history.size() - 1);

    assertThat(newest == null ? "" : SchemaNormalization.toParsingForm(newest))
        .as("add as the last line of history/%s.jsonl:%n%s%n", type.getSimpleName(), line)
        .isEqualTo(line);
  }

  @Test
  void theAllowListNamesEveryGeneratedClass() throws IOException {
    try (Stream<Path> files =
        Files.list(Path.of("target/generated-sources/avro/dev/flinfer/schema"))) {
      assertThat(AvroClasses.GENERATED.stream().map(type -> type.getSimpleName() + ".java"))
          .containsExactlyInAnyOrderElementsOf(files.map(f -> f.getFileName().toString()).toList());
    }
  }

  static List<Class<?>> generated() {
    return AvroClasses.GENERATED;
  }

  static List<Class<?>> records() {
    return AvroClasses.GENERATED.stream().filter(SpecificRecord.class::isAssignableFrom).toList();
  }
}
