/**
 * The records of the Kafka topics and their wire formats. The schema files under {@code
 * src/main/avro} are the contract; the record classes are generated from them.
 *
 * <p>{@link dev.flinfer.schema.WireFormat} is the way in. The generated classes work with Avro and
 * Flink directly too: the first that is initialised puts all of them on Avro's class allow-list.
 * Code that lets Avro find them by a schema's name (a {@code DataFileReader}, a registry's
 * deserializer) and touches none of them before calls, say, {@code Completion.getClassSchema()}
 * first.
 *
 * <p>Imports Avro and Jackson's core, and nothing of Flink, Kafka or the other modules.
 *
 * <p>To change a schema: add a field with a doc and a default at the end, run the tests, and add
 * the line they print to {@code history/}. Never remove or rename a field, nor change its type.
 */
package dev.flinfer.schema;
