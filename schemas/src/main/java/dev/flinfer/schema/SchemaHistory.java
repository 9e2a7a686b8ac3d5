package dev.flinfer.schema;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.avro.Schema;

/**
 * The schemas that a record type has had. The single-object encoding identifies the writer's schema
 * only by its fingerprint, so a reader of old records needs the schema itself.
 *
 * <p>The schemas are in {@code history/<record>.jsonl}: one schema per line in Avro's parsing
 * canonical form, the newest last. A test fails when the last line is not the current schema and
 * prints the line to add.
 */
final class SchemaHistory {
  private SchemaHistory() {}

  /** The schemas of a record type, oldest first; empty for a type without a history. */
  static List<Schema> of(Class<?> type) {
    try (InputStream in =
        type.getResourceAsStream(
            "/dev/flinfer/schema/history/" + type.getSimpleName() + ".jsonl")) {
      if (in == null) {
        return List.of();
      }
      String lines = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return lines.lines().map(line -> new Schema.Parser().parse(line)).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
