package dev.flinfer.cli.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flinfer.cli.RecordedConsole;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** A small random checkpoint, and the commands that run on it. */
abstract class EngineCommandsFixture {
  static final ObjectMapper JSON = new ObjectMapper();

  @TempDir static Path model;

  @TempDir Path dir;
  final RecordedConsole recorded = new RecordedConsole();

  @BeforeAll
  static void writeCheckpoint() {
    RandomCheckpoint.write(model, RandomCheckpoint.Shape.ODD, DType.F32, 1);
  }

  int run(String command, String... args) {
    String[] all = new String[args.length + 3];
    all[0] = command;
    all[1] = "--model";
    all[2] = model.toString();
    System.arraycopy(args, 0, all, 3, args.length);
    return recorded.run(all);
  }

  List<JsonNode> answers() throws IOException {
    return JSON.readerFor(JsonNode.class).<JsonNode>readValues(recorded.out()).readAll();
  }

  Path file(String... lines) throws IOException {
    return Files.write(dir.resolve("requests.jsonl"), List.of(lines));
  }
}
