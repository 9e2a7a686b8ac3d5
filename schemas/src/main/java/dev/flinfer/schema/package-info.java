/**
 * The records of the Kafka topics and their wire formats. The schema files under {@code
 * src/main/avro} are the contract; the record classes are generated from them.
 *
 * <p>{@link dev.flinfer.schema.WireFormat} is the entry point. The generated classes also work with
 * Avro and Flink directly: the first one that is initialized adds all of them to Avro's class
 * allow-list. Code that lets Avro find them by a schema's name (a {@code DataFileReader}, a
 * registry's deserializer) without having used one of them must first call, for example, {@code
 * Completion.getClassSchema()}.
 *
 * <p>Imports Avro and Jackson's core, and nothing of Flink, Kafka or the other modules.
 *
 * <p>To change a schema, add a field with a doc and a default at the end, run the tests, and add
 * the line that they print to {@code history/}. Never remove or rename a field or change its type.
 */
package dev.flinfer.schema;
