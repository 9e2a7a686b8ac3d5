package dev.flinfer.schema;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecord;

/** Random records of any of our types. Numbers are finite: to Avro no NaN equals another. */
final class SchemaArbitraries {
  private SchemaArbitraries() {}

  static Arbitrary<? extends SpecificRecord> records() {
    List<Arbitrary<? extends SpecificRecord>> types = new ArrayList<>();
    for (Class<?> type : AvroClasses.GENERATED) {
      if (SpecificRecord.class.isAssignableFrom(type)) {
        types.add(record(SpecificData.get().getSchema(type)));
      }
    }
    return Arbitraries.oneOf(types.stream().map(t -> t.map(r -> r)).toList());
  }

  private static Arbitrary<SpecificRecord> record(Schema schema) {
    List<Arbitrary<Object>> fields = new ArrayList<>();
    schema.getFields().forEach(field -> fields.add(of(field.schema())));
    Class<?> type = SpecificData.get().getClass(schema);
    return Combinators.combine(fields)
        .as(
            values -> {
              SpecificRecord record = (SpecificRecord) SpecificData.newInstance(type, schema);
              for (int i = 0; i < values.size(); i++) {
                record.put(i, values.get(i));
              }
              return record;
            });
  }

  private static Arbitrary<Object> of(Schema schema) {
    return switch (schema.getType()) {
      case RECORD -> record(schema).asGeneric();
      case ARRAY -> of(schema.getElementType()).list().ofMaxSize(4).asGeneric();
      case MAP -> Arbitraries.maps(strings(), of(schema.getValueType())).ofMaxSize(4).asGeneric();
      case UNION -> of(schema.getTypes().get(1)).injectNull(0.3);
      case ENUM ->
          Arbitraries.of(schema.getEnumSymbols())
              .map(symbol -> SpecificData.get().createEnum(symbol, schema));
      case STRING -> strings().asGeneric();
      case BYTES -> Arbitraries.bytes().array(byte[].class).ofMaxSize(20).map(ByteBuffer::wrap);
      case INT -> Arbitraries.integers().asGeneric();
      case LONG -> Arbitraries.longs().asGeneric();
      case FLOAT -> Arbitraries.floats().asGeneric();
      case DOUBLE -> Arbitraries.doubles().asGeneric();
      case BOOLEAN -> Arbitraries.of(true, false).asGeneric();
      case FIXED, NULL -> throw new IllegalArgumentException(schema.toString());
    };
  }

  /** Any characters that UTF-8 can hold. */
  private static Arbitrary<String> strings() {
    return Arbitraries.integers()
        .between(0, Character.MAX_CODE_POINT)
        .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
        .list()
        .ofMaxSize(20)
        .map(
            points -> {
              StringBuilder text = new StringBuilder();
              points.forEach(text::appendCodePoint);
              return text.toString();
            });
  }
}
