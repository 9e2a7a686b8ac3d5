package dev.flinfer.cli.soak;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.flinfer.cli.RequestEncoder;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.WireFormat;
import dev.flinfer.schema.WireFormatException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * An endless sequence of records to send: requests whose completions are known from a separate
 * engine, and now and then a record that is not a request, one that is hard to read, one without a
 * key, and one without a value. The same seed gives the same sequence.
 */
final class SoakPrompts {
  private static final int BAD_EVERY = 30;
  private static final int HARD_EVERY = 40;
  private static final int TOMBSTONE_EVERY = 50;
  private static final int WITHOUT_KEY_EVERY = 20;
  private static final double TEMPERATURE = 0.8; // so that a lost random state shows in the text

  /**
   * Fits into a topic of the default size, but not together with the headers of a dead letter.
   * Kafka compares it with 1 MiB, and adds some 100 bytes.
   */
  private static final int TOO_LARGE = (1 << 20) - 200;

  /**
   * A JSON request.
   *
   * @param answer in an undisturbed run; null if the request is rejected there
   */
  private record Hard(String json, Completion answer) {}

  private final WireFormat.Writer<CompletionRequest> writer =
      WireFormat.JSON.writer(CompletionRequest.class);
  private final List<CompletionRequest> requests = new ArrayList<>();
  private final List<Completion> answers = new ArrayList<>();
  private final List<Hard> hard = new ArrayList<>();
  private final Random random;
  private long next;

  private SoakPrompts(long seed) {
    random = new Random(seed);
  }

  /** Completes each of the texts once, undisturbed, and each of the hard requests. */
  static SoakPrompts answered(EngineOptions options, Collection<String> texts, long seed) {
    SoakPrompts prompts = new SoakPrompts(seed);
    try (LlmEngine engine = LlmEngine.open(options)) {
      List<CompletionStage<Completion>> answers = new ArrayList<>();
      for (String text : texts) {
        CompletionRequest request =
            CompletionRequest.newBuilder()
                .setId("undisturbed-" + answers.size())
                .setPrompt(text)
                .setMaxTokens(4 + prompts.random.nextInt(60))
                .setTemperature(TEMPERATURE)
                .setSeed(prompts.random.nextLong())
                .build();
        prompts.requests.add(request);
        answers.add(engine.submit(request));
      }
      SoakRecords.all().values().forEach(json -> prompts.hard.add(undisturbed(engine, json)));
      answers.forEach(answer -> prompts.answers.add(answer.toCompletableFuture().join()));
    }
    return prompts;
  }

  /** Reads and completes a request as the job does; what it refuses must be rejected. */
  private static Hard undisturbed(LlmEngine engine, String json) {
    try {
      byte[] value = json.replace(SoakRecords.ID, "undisturbed").getBytes(UTF_8);
      CompletionRequest request = WireFormat.JSON.reader(CompletionRequest.class).read(value);
      return new Hard(json, engine.submit(request).toCompletableFuture().join());
    } catch (WireFormatException | InvalidRequestException e) {
      return new Hard(json, null);
    } catch (CompletionException e) {
      if (e.getCause() instanceof InvalidRequestException) { // its pattern
        return new Hard(json, null);
      }
      throw e;
    }
  }

  /** Encodes the next record, and enters it in the ledger before it can be answered. */
  RequestEncoder.Encoded next(Ledger ledger) {
    String id = "soak-" + next++;
    byte[] key = random.nextInt(WITHOUT_KEY_EVERY) == 0 ? null : id.getBytes(UTF_8);
    if (random.nextInt(TOMBSTONE_EVERY) == 0) {
      ledger.sentTombstone(id);
      return new RequestEncoder.Encoded(key, null);
    }
    if (random.nextInt(BAD_EVERY) == 0) {
      return bad(ledger, id, key);
    }
    if (random.nextInt(HARD_EVERY) == 0) {
      return hard(ledger, id, key);
    }
    int of = random.nextInt(requests.size());
    CompletionRequest request = CompletionRequest.newBuilder(requests.get(of)).setId(id).build();
    ledger.sent(id, answers.get(of));
    return new RequestEncoder.Encoded(key, writer.write(request));
  }

  private RequestEncoder.Encoded hard(Ledger ledger, String id, byte[] key) {
    Hard request = hard.get(random.nextInt(hard.size()));
    byte[] value = request.json.replace(SoakRecords.ID, id).getBytes(UTF_8);
    if (request.answer != null) {
      ledger.sent(id, request.answer);
    } else {
      rejected(ledger, id, key, value);
    }
    return new RequestEncoder.Encoded(key, value);
  }

  private RequestEncoder.Encoded bad(Ledger ledger, String id, byte[] key) {
    int kind = random.nextInt(7);
    if (kind == 6) {
      ledger.sentTooLarge(id);
      byte[] value = ("{\"prompt\": \"" + "x".repeat(TOO_LARGE)).getBytes(UTF_8);
      return new RequestEncoder.Encoded(id.getBytes(UTF_8), value); // without its value, by its key
    }
    byte[] value = bad(id, kind);
    rejected(ledger, id, key, value);
    return new RequestEncoder.Encoded(key, value);
  }

  private static void rejected(Ledger ledger, String id, byte[] key, byte[] value) {
    if (key == null) {
      ledger.sentBadWithoutKey(id, value);
    } else {
      ledger.sentBad(id, value);
    }
  }

  private static byte[] bad(String id, int kind) {
    switch (kind) {
      case 0:
        return "{\"id\": \"%s\", \"prompt\": ".formatted(id).getBytes(UTF_8);
      case 1:
        return "{\"id\": \"%s\", \"prompt\": \"\"}".formatted(id).getBytes(UTF_8);
      case 2:
        return "{\"id\": \"%s\", \"prompt\": \"a\", \"max_tokenz\": 4}"
            .formatted(id)
            .getBytes(UTF_8);
      case 3:
        return "{\"id\": \"%s\", \"prompt\": \"a\", \"temperature\": -1}"
            .formatted(id)
            .getBytes(UTF_8);
      case 4:
        return "{\"id\": \"%s\", \"prompt\": \"%s\"}"
            .formatted(id, "word ".repeat(20_000))
            .getBytes(UTF_8);
      default:
        byte[] value = (" " + id).getBytes(UTF_8);
        value[0] = (byte) 0xff;
        return value;
    }
  }
}
