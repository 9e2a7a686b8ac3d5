package dev.flinfer.cli;

import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.WireFormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The quickstart's prompts: requests with an id and, in their metadata, the expected label. */
public final class Prompts {
  private static final String LABEL = "label";

  /**
   * @param line the request as JSON, which is sent unchanged
   * @param label the expected first line of the completion, or null
   */
  public record Prompt(String id, String text, String label, String line) {}

  private Prompts() {}

  /**
   * Reads a file of requests, one per line.
   *
   * @param limit maximum number of requests to read; 0 reads all
   * @return the prompts by id, in the order of the file
   * @throws UserError if a line is not a request or lacks a unique id
   */
  public static Map<String, Prompt> read(Path file, long limit) throws IOException {
    Map<String, Prompt> prompts = new LinkedHashMap<>();
    try (Lines lines = Lines.open(file)) {
      for (Lines.Line line = lines.nextNonBlank();
          line != null && (limit == 0 || prompts.size() < limit);
          line = lines.nextNonBlank()) {
        Prompt prompt = parse(line);
        if (prompts.put(prompt.id, prompt) != null) {
          throw new UserError(
              "%s: id %s occurs twice; ids must be unique, so that outcomes can be counted"
                  .formatted(line.place(), prompt.id));
        }
      }
    }
    if (prompts.isEmpty()) {
      throw new UserError(file + " has no prompts");
    }
    return prompts;
  }

  private static Prompt parse(Lines.Line line) {
    try {
      CompletionRequest request = RequestLine.parse(line.text()).request();
      if (request.getId() == null) {
        throw new UserError("id is missing; it is needed to count outcomes");
      }
      return new Prompt(
          request.getId(), request.getPrompt(), request.getMetadata().get(LABEL), line.text());
    } catch (UserError | WireFormatException e) {
      throw new UserError("%s: %s".formatted(line.place(), e.getMessage()), e);
    }
  }

  /** Returns the first three, for display. */
  public static List<Prompt> examples(Map<String, Prompt> prompts) {
    return new ArrayList<>(prompts.values()).subList(0, Math.min(3, prompts.size()));
  }
}
