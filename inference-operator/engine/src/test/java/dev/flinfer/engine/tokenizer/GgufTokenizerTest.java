package dev.flinfer.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.GgufWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class GgufTokenizerTest {
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;

  @TempDir Path directory;
  private final List<String> tokens = new ArrayList<>();
  private final List<Integer> types = new ArrayList<>();
  private final List<String> merges = new ArrayList<>(List.of("t h", "th e"));

  GgufTokenizerTest() {
    for (int b = 0; b < 256; b++) {
      token(Character.toString(ByteLevel.charOf(b)), 1);
    }
    token("th", 1); // 256
    token("the", 1);
    token("<|endoftext|>", CONTROL); // 258
    token("  ", USER_DEFINED); // 259
    token("   ", USER_DEFINED);
    token("[PAD261]", USER_DEFINED); // as in older files
    token("<unused>", 5);
  }

  @Test
  void encodesAndDecodes() {
    Tokenizer tokenizer = load(writer -> writer.put("tokenizer.ggml.pre", "phi-2"));
    assertThat(tokenizer.encode("the<|endoftext|>th")).containsExactly(257, 258, 256);
    // The longest run first; the rest is split as by GPT-2.
    assertThat(tokenizer.encode("   the")).containsExactly(260, 257);
    assertThat(tokenizer.encode("[PAD261]<unused>")).doesNotContain(261, 262);
    assertThat(tokenizer.decode(new int[] {257, 259, 258, 261, 'x'})).isEqualTo("the  x");
  }

  @Test
  void refusesSettingsThatWouldChangeTheTokens() {
    refuses(w -> w.put("tokenizer.ggml.pre", "llama-bpe"), "pre is llama-bpe; it must be phi-2 or");
    refuses(w -> w.put("tokenizer.ggml.add_bos_token", true), "add_bos_token is true; it must be");
    refuses(w -> w.put("tokenizer.ggml.add_space_prefix", true), "add_space_prefix is true;");
    assertThatThrownBy(() -> load(new GgufWriter().put("tokenizer.ggml.model", "llama")))
        .hasMessageEndingWith("tokenizer.ggml.model is llama; it must be gpt2, byte-level BPE");
  }

  @Test
  void refusesInvalidVocabularies() {
    merges.add("x y");
    refuses(w -> {}, "tokenizer.ggml.merges[2] needs \"xy\", which tokenizer.ggml.tokens lacks");
    merges.set(2, "t h");
    refuses(w -> {}, "tokenizer.ggml.merges[2] merges \"t\" and \"h\", as an earlier merge does");
    merges.set(2, "th");
    refuses(w -> {}, "tokenizer.ggml.merges[2] is \"th\"; a merge is \"a b\"");
    merges.remove(2);
    token("the", 1);
    refuses(w -> {}, "tokens[263] is \"the\", which already exists with id 257");
    tokens.set(263, "");
    refuses(w -> {}, "tokenizer.ggml.tokens[263] is empty");
    tokens.set(263, "byte");
    types.set(263, 6);
    refuses(w -> {}, "tokenizer.ggml.tokens[263] has type 6; supported are 1, 3, 4 and 5");
    types.remove(263);
    refuses(w -> {}, "tokenizer.ggml.token_type has 263 entries but tokenizer.ggml.tokens has 264");
    tokens.remove(263);
    tokens.set('a', "[gone]");
    refuses(w -> {}, "tokenizer.ggml.tokens lacks \"a\", the byte 61; a byte-level vocabulary");
  }

  private void token(String text, int type) {
    tokens.add(text);
    types.add(type);
  }

  private void refuses(Consumer<GgufWriter> more, String message) {
    assertThatThrownBy(() -> load(more)).hasMessageContaining(message);
  }

  private Tokenizer load(Consumer<GgufWriter> more) {
    GgufWriter writer =
        new GgufWriter()
            .put("tokenizer.ggml.model", "gpt2")
            .put("tokenizer.ggml.tokens", tokens)
            .put("tokenizer.ggml.merges", merges)
            .put("tokenizer.ggml.token_type", types.stream().mapToInt(Integer::intValue).toArray());
    more.accept(writer);
    return load(writer);
  }

  private Tokenizer load(GgufWriter writer) {
    Path file = directory.resolve("t.gguf");
    writer.write(file);
    return Tokenizer.load(file);
  }
}
