package dev.flinfer.cli.soak;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.flinfer.cli.RequestEncoder;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.WireFormat;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionStage;

/**
 * An endless sequence of records to send: requests whose completions are known from a separate
 * engine, and now and then a record that is not a request. The same seed gives the same sequence.
 */
final class SoakPrompts {
  private static final int BAD_EVERY = 30;
  private static final double TEMPERATURE = 0.8; // so that a lost random state shows in the text

  private final WireFormat.Writer<CompletionRequest> writer =
      WireFormat.JSON.writer(CompletionRequest.class);
  private final List<CompletionRequest> requests = new ArrayList<>();
  private final List<Completion> answers = new ArrayList<>();
  private final Random random;
  private long next;

  private SoakPrompts(long seed) {
    random = new Random(seed);
  }

  /** Completes each of the texts once, undisturbed. */
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
      answers.forEach(answer -> prompts.answers.add(answer.toCompletableFuture().join()));
    }
    return prompts;
  }

  /** Encodes the next record, and enters it in the ledger before it can be answered. */
  RequestEncoder.Encoded next(Ledger ledger) {
    String id = "soak-" + next++;
    if (random.nextInt(BAD_EVERY) == 0) {
      byte[] value = bad(id);
      ledger.sentBad(id, value);
      return new RequestEncoder.Encoded(id.getBytes(UTF_8), value);
    }
    int of = random.nextInt(requests.size());
    CompletionRequest request = CompletionRequest.newBuilder(requests.get(of)).setId(id).build();
    ledger.sent(id, answers.get(of));
    return new RequestEncoder.Encoded(id.getBytes(UTF_8), writer.write(request));
  }

  private byte[] bad(String id) {
    switch (random.nextInt(6)) {
      case 0:
        return "{\"id\": \"%s\", \"prompt\": ".formatted(id).getBytes(UTF_8);
      case 1:
        return "{\"id\": \"%s\", \"prompt\": \"\"}".formatted(id).getBytes(UTF_8);
      case 2:
        return "{\"id\": \"%s\", \"prompt\": \"a\", \"max_tokenz\": 4}"
            .formatted(id)
            .getBytes(UTF_8);
      case 3:
        return "{\"prompt\": \"a\", \"temperature\": -1}".getBytes(UTF_8);
      case 4:
        return "{\"prompt\": \"%s\"}".formatted("word ".repeat(20_000)).getBytes(UTF_8);
      default:
        return new byte[] {'{', '"', (byte) 0xff, (byte) 0xc0, 0};
    }
  }
}
