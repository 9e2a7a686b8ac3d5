package dev.flinfer.engine.tokenizer;

import dev.flinfer.engine.weights.Gguf;
import dev.flinfer.engine.weights.WeightFileException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;

/**
 * Byte-level BPE as in Phi-2 and GPT-2. Thread-safe.
 *
 * <p>The ids are those of Hugging Face's {@code tokenizers} with {@code add_special_tokens} off.
 *
 * <pre>{@code
 * Tokenizer tokenizer = Tokenizer.load(Path.of("models/phi-2"));
 * int[] ids = tokenizer.encode("Hello world"); // 15496, 995
 * String text = tokenizer.decode(ids);
 * }</pre>
 */
public final class Tokenizer {
  private static final byte[] NOTHING = {};

  private final Vocabulary vocabulary;
  private final PieceCache pieces = new PieceCache();
  private final int longestToken;

  /** (highest id + 1) texts of tokens that were decoded; a race only decodes one twice. */
  private final String[] texts;

  private Tokenizer(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    this.texts = new String[vocabulary.bytesOfId().length];
    this.longestToken = vocabulary.longestToken();
  }

  /**
   * Reads {@code tokenizer.json} of a model directory, or the tokenizer in a GGUF file.
   *
   * @throws WeightFileException if the file is missing or invalid, or requires something that is
   *     not supported here: a normalizer, another kind of model, tokens put around the text
   */
  public static Tokenizer load(Path model) {
    if (Files.isRegularFile(model)) {
      try (Gguf gguf = Gguf.open(model)) {
        return of(gguf);
      }
    }
    return new Tokenizer(TokenizerFile.read(model.resolve("tokenizer.json")));
  }

  /** Reads the tokenizer from a GGUF file's metadata. The file can be closed afterwards. */
  public static Tokenizer of(Gguf gguf) {
    return new Tokenizer(GgufTokenizer.read(gguf.metadata()));
  }

  /** One token per byte, with the byte's value as its id: for models without a vocabulary. */
  public static Tokenizer ofBytes() {
    VocabularyBuilder builder = new VocabularyBuilder(Path.of("bytes"), "vocab", "merges");
    for (int b = 0; b < 256; b++) {
      builder.tokens().put(Character.toString(ByteLevel.charOf(b)), b);
    }
    builder.findBytes();
    return new Tokenizer(builder.build(new AddedTokens(), new AddedTokens()));
  }

  /**
   * Returns the token ids of a text. Added tokens in it are recognized; no token is prepended. An
   * unpaired surrogate, which no text encoding can represent, becomes a question mark.
   */
  public int[] encode(String text) {
    Encoding encoding = new Encoding(text);
    vocabulary.addedFirst().split(text, 0, text.length(), encoding);
    return encoding.ids.toArray();
  }

  /**
   * Whether a text certainly has more tokens than a number, by its length. This takes no time,
   * while {@link #encode} takes seconds for a text of 10 MB.
   */
  public boolean exceeds(String text, int tokens) {
    return text.length() > (long) tokens * longestToken;
  }

  /**
   * Returns the text of tokens. Special tokens and unknown ids add nothing; invalid UTF-8 becomes
   * U+FFFD.
   */
  public String decode(int[] tokens) {
    int length = 0;
    for (int token : tokens) {
      length = Math.addExact(length, bytesOf(token).length);
    }
    byte[] bytes = new byte[length];
    int at = 0;
    for (int token : tokens) {
      byte[] added = bytesOf(token);
      System.arraycopy(added, 0, bytes, at, added.length);
      at += added.length;
    }
    return Utf8.decode(bytes, length);
  }

  /** Returns a decoder that decodes token by token. */
  public IncrementalDecoder decoder() {
    return new Utf8Stream(this::bytesOf, this::textOf);
  }

  /**
   * The bytes that a token adds to a text, none for special tokens and unknown ids. Must not be
   * modified.
   */
  public byte[] bytesOf(int token) {
    byte[][] bytes = vocabulary.bytesOfId();
    return token >= 0 && token < bytes.length ? bytes[token] : NOTHING;
  }

  /**
   * The text of a token of whole characters; null if the token splits a character or has no text.
   */
  private String textOf(int token) {
    if (token < 0 || token >= texts.length) {
      return null;
    }
    String text = texts[token];
    if (text == null) {
      text = Utf8.whole(bytesOf(token));
      texts[token] = text;
    }
    return text;
  }

  /** Decodes token by token and never splits a character. Not thread-safe. */
  public interface IncrementalDecoder {
    /** The whole characters that this token completes; often empty. */
    String add(int token);

    /** The rest at the end, with invalid UTF-8 as U+FFFD. */
    String finish();
  }

  /**
   * One call of {@link #encode}: cuts out the first kind of added tokens, then the second kind,
   * then applies BPE.
   */
  private final class Encoding implements AddedTokens.Parts {
    final IntList ids = new IntList();
    private final String text;
    private final Matcher matcher;
    private BytePairEncoder encoder; // created for the first piece that is not cached

    Encoding(String text) {
      this.text = text;
      this.matcher = PreTokenizer.GPT2.matcher(text);
    }

    @Override
    public void token(int id) {
      ids.add(id);
    }

    @Override
    public void text(int from, int to) {
      vocabulary.addedThen().split(text, from, to, new Rest());
    }

    private final class Rest implements AddedTokens.Parts {
      @Override
      public void token(int id) {
        ids.add(id);
      }

      @Override
      public void text(int from, int to) {
        matcher.region(from, to);
        while (matcher.find()) {
          encode(matcher.start(), matcher.end());
        }
      }
    }

    private void encode(int from, int to) {
      int[] known = pieces.get(text, from, to);
      if (known != null) {
        ids.addAll(known);
        return;
      }
      if (encoder == null) {
        encoder = new BytePairEncoder(vocabulary.idOfByte(), vocabulary.merges());
      }
      String piece = text.substring(from, to);
      int start = ids.size();
      encoder.encode(piece.getBytes(StandardCharsets.UTF_8), ids);
      pieces.put(piece, ids.from(start));
    }
  }
}
