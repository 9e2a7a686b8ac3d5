package dev.flinfer.flink;

import dev.flinfer.engine.EngineOption;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.OptionNames;
import dev.flinfer.schema.WireFormat;
import java.io.Serializable;
import java.time.Duration;
import java.util.Map;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.ReadableConfig;

/**
 * The options of inference: those of the engine, which are declared in {@link EngineOption} and
 * have keys such as {@code flinfer.max-num-seqs}, and those of the operator.
 */
public final class FlinferOptions {

  /** The names of the engine's options in Flink's configuration. */
  public static final OptionNames NAMES =
      new OptionNames(
          "flinfer.", '-', Map.of(EngineOption.CPU_PRODUCTS.name(), "flinfer.cpu.products"));

  public static final ConfigOption<String> MODEL =
      ConfigOptions.key(NAMES.of(EngineOption.MODEL))
          .stringType()
          .noDefaultValue()
          .withDescription(EngineOption.MODEL.description(NAMES));

  public static final ConfigOption<Integer> MAX_IN_FLIGHT =
      ConfigOptions.key("flinfer.max-in-flight")
          .intType()
          .defaultValue(0)
          .withDescription(
              "The maximum number of requests that a subtask has in the engine; at this number it"
                  + " reads no further records. 0 takes twice "
                  + NAMES.of(EngineOption.MAX_NUM_SEQS)
                  + ", so that the engine always has the next request ready.");

  public static final ConfigOption<Long> MAX_IN_FLIGHT_TOKENS =
      ConfigOptions.key("flinfer.max-in-flight-tokens")
          .longType()
          .defaultValue(0L)
          .withDescription(
              "The maximum number of prompt tokens that a subtask has in the engine; at this number it"
                  + " reads no further records, however few requests they are. One request is always"
                  + " accepted. 0 takes the number that two KV caches hold, so that as much waits as"
                  + " runs.");

  public static final ConfigOption<Integer> MAX_ATTEMPTS =
      ConfigOptions.key("flinfer.max-attempts")
          .intType()
          .defaultValue(3)
          .withDescription(
              "The number of times that the forward pass over a request by itself fails, or that the"
                  + " process ends while it reads the request or compiles its pattern, before the"
                  + " request is rejected. A failed forward pass over several requests is tried again"
                  + " request by request and counts for none of them. A device that can no longer"
                  + " compute one token fails the task.");

  public static final ConfigOption<String> ADMISSION_JOURNAL_DIR =
      ConfigOptions.key("flinfer.admission-journal.dir")
          .stringType()
          .noDefaultValue()
          .withDescription(
              "The directory in which each process notes the request that it reads and checks, and the"
                  + " pattern that it compiles, so that one that ends the process "
                  + MAX_ATTEMPTS.key()
                  + " times is rejected. It must outlive the process: in"
                  + " Kubernetes it needs a volume that outlives the pod. Jobs can share it. Without"
                  + " a value it is in the first of Flink's io.tmp.dirs; none turns this off.");

  public static final ConfigOption<Duration> THROUGHPUT_INTERVAL =
      ConfigOptions.key("flinfer.throughput.interval")
          .durationType()
          .defaultValue(Duration.ofSeconds(10))
          .withDescription(
              "How often each subtask reports its throughput, in addition to every checkpoint.");

  public static final ConfigOption<Duration> DEDUPLICATE_TTL =
      ConfigOptions.key("flinfer.deduplicate.ttl")
          .durationType()
          .defaultValue(Duration.ZERO)
          .withDescription(
              "How long an id is remembered after its first request, which is completed or rejected;"
                  + " later requests with the same id are dropped. 0 drops none. The ids are kept in"
                  + " the job's state, and the records are shuffled by id, which needs unaligned"
                  + " checkpoints.");

  public static final ConfigOption<WireFormat> INPUT_FORMAT =
      ConfigOptions.key("flinfer.input.format")
          .enumType(WireFormat.class)
          .defaultValue(WireFormat.JSON)
          .withDescription(
              "The format of requests: json, one object per record, or avro, Avro's single-object"
                  + " encoding.");

  private FlinferOptions() {}

  /**
   * An option of the engine: of Flink's type where Flink has one, such as {@code memoryType()}, and
   * otherwise a string.
   */
  public static <T extends Serializable> ConfigOption<?> of(EngineOption<T> option) {
    if (option.isRequired()) {
      return MODEL;
    }
    ConfigOptions.OptionBuilder key = ConfigOptions.key(NAMES.of(option));
    String value = option.format(option.defaultValue());
    ConfigOption<?> declared =
        switch (option.type().kind()) {
          case INTEGER -> key.intType().defaultValue(Integer.valueOf(value));
          case BOOLEAN -> key.booleanType().defaultValue(Boolean.valueOf(value));
          case MEMORY_SIZE -> key.memoryType().defaultValue(MemorySize.parse(value));
          case TEXT -> key.stringType().defaultValue(value);
        };
    return declared.withDescription(option.description(NAMES));
  }

  /**
   * The options of the engine.
   *
   * @throws IllegalArgumentException if one is missing, cannot be read, is out of its range or
   *     contradicts another; the message names its key, its value and the limit
   */
  public static EngineOptions engineOptions(ReadableConfig config) {
    EngineOptions.Builder options = EngineOptions.builder(NAMES);
    for (EngineOption<?> option : EngineOption.all()) {
      config.getOptional(of(option)).ifPresent(value -> options.parse(option, text(value)));
    }
    return options.build();
  }

  private static String text(Object value) {
    return value instanceof MemorySize size ? Long.toString(size.getBytes()) : value.toString();
  }

  /** Sets the options of an engine that are not the defaults. */
  public static void set(Configuration config, EngineOptions options) {
    EngineOption.all().forEach(option -> set(config, option, options));
  }

  private static <T extends Serializable> void set(
      Configuration config, EngineOption<T> option, EngineOptions options) {
    if (!options.get(option).equals(option.defaultValue())) {
      config.setString(NAMES.of(option), options.text(option));
    }
  }
}
