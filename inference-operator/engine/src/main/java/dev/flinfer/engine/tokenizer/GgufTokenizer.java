package dev.flinfer.engine.tokenizer;

import static dev.flinfer.engine.tokenizer.VocabularyBuilder.quote;

import dev.flinfer.engine.weights.GgufMetadata;
import java.util.List;

/** Reads the tokenizer from a GGUF file's metadata and checks every entry. */
final class GgufTokenizer {
  private static final String TOKENS = "tokenizer.ggml.tokens";
  private static final String MERGES = "tokenizer.ggml.merges";
  private static final String TYPES = "tokenizer.ggml.token_type";

  // Token types of the format.
  private static final int NORMAL = 1;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;

  private final GgufMetadata metadata;
  private final VocabularyBuilder builder;
  private final AddedTokens control = new AddedTokens();
  private final AddedTokens userDefined = new AddedTokens();

  private GgufTokenizer(GgufMetadata metadata) {
    this.metadata = metadata;
    this.builder = new VocabularyBuilder(metadata.file(), TOKENS, MERGES);
  }

  static Vocabulary read(GgufMetadata metadata) {
    return new GgufTokenizer(metadata).vocabulary();
  }

  private Vocabulary vocabulary() {
    builder.require(
        "gpt2".equals(metadata.text("tokenizer.ggml.model")),
        () ->
            "tokenizer.ggml.model is %s; it must be gpt2, byte-level BPE"
                .formatted(metadata.text("tokenizer.ggml.model")));
    // Files from before this key existed split text like GPT-2, as Phi's own tokenizer does.
    metadata.mayBe("tokenizer.ggml.pre", "phi-2", "gpt-2");
    metadata.mayBe("tokenizer.ggml.add_bos_token", "false");
    metadata.mayBe("tokenizer.ggml.add_eos_token", "false");
    metadata.mayBe("tokenizer.ggml.add_space_prefix", "false");
    readTokens();
    builder.findBytes();
    readMerges();
    return builder.build(control, userDefined);
  }

  private void readTokens() {
    List<String> texts = metadata.texts(TOKENS, TokenizerFile.MAX_ID + 1);
    int[] types = metadata.integers(TYPES, TokenizerFile.MAX_ID + 1);
    builder.require(
        types.length == texts.size(),
        () ->
            "%s has %d entries but %s has %d".formatted(TYPES, types.length, TOKENS, texts.size()));
    for (int id = 0; id < types.length; id++) {
      add(id, texts.get(id), types[id]);
    }
  }

  private void add(int id, String text, int type) {
    // Rows that pad the embedding; older files call them user-defined.
    if (type == UNUSED || text.equals("[PAD" + id + "]")) {
      return;
    }
    String place = "%s[%d]".formatted(TOKENS, id);
    builder.require(
        type == NORMAL || type == CONTROL || type == USER_DEFINED,
        () -> "%s has type %d; supported are 1, 3, 4 and 5".formatted(place, type));
    builder.require(!text.isEmpty(), () -> place + " is empty");
    Integer known = builder.tokens().idOf(text);
    builder.require(
        known == null,
        () -> "%s is %s, which already exists with id %d".formatted(place, quote(text), known));
    builder.tokens().put(text, id);
    if (type != NORMAL) {
      builder.countAdded(place, text);
    }
    if (type == CONTROL) {
      control.add(text, id);
      builder.special(id);
    } else if (type == USER_DEFINED) {
      userDefined.add(text, id);
    }
  }

  private void readMerges() {
    List<String> lines = metadata.texts(MERGES, TokenizerFile.MAX_ID + 1);
    builder.expectMerges(lines.size());
    for (int rank = 0; rank < lines.size(); rank++) {
      String line = lines.get(rank);
      int space = line.indexOf(' ');
      String place = "%s[%d] is ".formatted(MERGES, rank);
      builder.require(
          space > 0 && space == line.lastIndexOf(' ') && space + 1 < line.length(),
          () -> place + quote(line) + "; a merge is \"a b\"");
      builder.merge(rank, line.substring(0, space), line.substring(space + 1));
    }
  }
}
