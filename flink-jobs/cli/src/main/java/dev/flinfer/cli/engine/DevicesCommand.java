package dev.flinfer.cli.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flinfer.cli.Console;
import dev.flinfer.cli.Text;
import dev.flinfer.engine.device.DeviceInfo;
import dev.flinfer.engine.device.DeviceProbe;
import dev.flinfer.engine.device.Devices;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "devices",
    description = "List the devices that a model can run on, their memory and types.",
    footer = {
      "",
      "Drivers are queried in a separate process, so that a broken driver does no",
      "harm. The first column is the value for --device and flinfer.device. Exit code",
      "1 means that a driver crashed, hung or could not start.",
      "",
      "Example:",
      "  flinfer devices --json"
    })
public final class DevicesCommand implements Callable<Integer> {
  private static final String ROW = "%-10s %-11s %10s %10s  %-26s %-14s %s";

  private final Console console;

  @Option(names = "--json", description = "Print one JSON object instead of a table.")
  private boolean json;

  public DevicesCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws JsonProcessingException {
    String absence = Devices.noBackend();
    DeviceProbe.Report report =
        absence.isEmpty() ? DeviceProbe.ofProcess().run() : new DeviceProbe.Report(List.of(), null);
    print(report, absence);
    return report.problems().isEmpty() ? 0 : 1;
  }

  /** Prints devices to standard output and problems to standard error. */
  void print(DeviceProbe.Report report, String absence) throws JsonProcessingException {
    List<DeviceInfo> devices =
        Stream.concat(Stream.of(Devices.ofProcess().cpu()), report.devices().stream()).toList();
    if (json) {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("devices", devices.stream().map(DevicesCommand::object).toList());
      object.put("problems", report.problems());
      console.print(List.of(new ObjectMapper().writeValueAsString(object)));
    } else {
      List<String> lines = new ArrayList<>();
      lines.add(
          ROW.formatted("device", "kind", "memory", "largest", "weights", "keys, values", "name")
              .stripTrailing());
      devices.forEach(device -> lines.add(row(device)));
      console.print(lines);
    }
    if (!absence.isEmpty()) {
      console.say("flinfer: " + absence);
    }
    report.problems().forEach(problem -> console.say("flinfer: " + problem));
  }

  private static String row(DeviceInfo device) {
    return ROW.formatted(
        device.id(),
        device.kind(),
        size(device.memoryBytes()),
        size(device.maxAllocationBytes()),
        String.join(" ", names(device.weightTypes())),
        String.join(" ", names(device.kvCacheTypes())),
        device.name());
  }

  /** Formats a size; the CPU has no limit, which prints as a dash. */
  private static String size(long bytes) {
    return bytes == Long.MAX_VALUE ? "-" : Text.count(bytes >> 20) + " MiB";
  }

  private static List<String> names(Set<? extends Enum<?>> types) {
    return types.stream()
        .sorted((a, b) -> Integer.compare(a.ordinal(), b.ordinal()))
        .map(type -> type.name().toLowerCase(Locale.ROOT))
        .collect(Collectors.toList());
  }

  private static Map<String, Object> object(DeviceInfo device) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("id", device.id());
    object.put("name", device.name());
    object.put("kind", device.kind().name().toLowerCase(Locale.ROOT));
    if (device.memoryBytes() < Long.MAX_VALUE) {
      object.put("memory_bytes", device.memoryBytes());
      object.put("max_allocation_bytes", device.maxAllocationBytes());
    }
    object.put("weights", names(device.weightTypes()));
    object.put("kv_cache_dtypes", names(device.kvCacheTypes()));
    return object;
  }
}
