package dev.flinfer.engine.sampling;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.RequestErrors;
import dev.flinfer.engine.structured.ByteAutomaton;
import dev.flinfer.engine.structured.PatternException;
import dev.flinfer.engine.tokenizer.Tokenizer;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * Token masks of the most recently used patterns; requests usually share a few. A pattern is
 * compiled on a separate thread, the earliest first, so that neither a caller nor the engine's
 * thread waits for it. Thread-safe.
 */
public final class Constraints implements AutoCloseable {
  private static final int MAX_KEPT = 64;

  /** The largest automaton that the limits allow has 8 MB, a usual one less than 1 MB. */
  private static final long MAX_KEPT_BYTES = 64 << 20;

  private static final int IDLE_SECONDS = 10;

  private final Tokenizer tokenizer;
  private final int vocab;
  private final Map<TextPattern, CompletableFuture<TokenMasks>> kept = new Latest<>(MAX_KEPT);
  private final Function<TextPattern, ByteAutomaton> compile;
  private final ThreadPoolExecutor compiler;

  public Constraints(Tokenizer tokenizer, int vocab) {
    this(tokenizer, vocab, TextPattern::compile);
  }

  /** With a way to compile that a test chooses. */
  Constraints(Tokenizer tokenizer, int vocab, Function<TextPattern, ByteAutomaton> compile) {
    this.tokenizer = tokenizer;
    this.vocab = vocab;
    this.compile = compile;
    compiler =
        new ThreadPoolExecutor(
            1,
            1,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Constraints::thread,
            new ThreadPoolExecutor.DiscardPolicy()); // after close, when the engine answers nothing
    compiler.allowCoreThreadTimeOut(true);
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "flinfer-patterns");
    thread.setDaemon(true);
    return thread;
  }

  /**
   * Returns the token masks of a pattern, or null for null. The future fails with an {@link
   * InvalidRequestException} that names the invalid place, or the limit, and with an {@link
   * EngineException} after an error that is not the pattern's.
   *
   * @param listener is notified if the pattern is compiled for this request
   */
  public synchronized CompletableFuture<TokenMasks> of(
      TextPattern pattern, GenerationListener listener) {
    if (pattern == null) {
      return null;
    }
    CompletableFuture<TokenMasks> masks = kept.get(pattern);
    if (masks == null) {
      CompletableFuture<TokenMasks> added = new CompletableFuture<>();
      kept.put(pattern, added);
      compiler.execute(() -> compile(pattern, added, listener));
      masks = added;
    }
    return masks;
  }

  /** Ends the thread; patterns that are not compiled by now never are. */
  @Override
  public void close() {
    compiler.shutdownNow();
  }

  private void compile(
      TextPattern pattern, CompletableFuture<TokenMasks> masks, GenerationListener listener) {
    TokenMasks compiled = null;
    RuntimeException invalid = null; // kept, since it would be the same again
    Error error = null; // not the pattern's, such as a missing class
    try {
      listener.onCompileStart();
      compiled = new TokenMasks(automaton(pattern), tokenizer, vocab);
    } catch (InvalidRequestException e) {
      invalid = e;
    } catch (RuntimeException e) {
      invalid = failure(pattern, e);
    } catch (Error e) {
      error = e;
    }
    try {
      listener.onCompileEnd(error);
    } finally { // whatever happens, the requests must not wait forever
      complete(pattern, masks, compiled, invalid, error);
    }
  }

  private synchronized void complete(
      TextPattern pattern,
      CompletableFuture<TokenMasks> masks,
      TokenMasks compiled,
      RuntimeException invalid,
      Error error) {
    if (compiled != null) {
      masks.complete(compiled);
      removeEldest();
    } else if (invalid != null) {
      masks.completeExceptionally(invalid);
    } else {
      kept.remove(pattern);
      String message = "%s cannot be compiled: %s".formatted(pattern.field(), error);
      masks.completeExceptionally(new EngineException(message, error));
    }
  }

  private void removeEldest() {
    long bytes = kept.values().stream().mapToLong(Constraints::bytes).sum();
    Iterator<CompletableFuture<TokenMasks>> eldest = kept.values().iterator();
    while (bytes > MAX_KEPT_BYTES) {
      bytes -= bytes(eldest.next());
      eldest.remove();
    }
  }

  /** 0 while a pattern is compiled, and if it is invalid. */
  private static long bytes(CompletableFuture<TokenMasks> masks) {
    return masks.isDone() && !masks.isCompletedExceptionally()
        ? masks.resultNow().automaton.bytes()
        : 0;
  }

  private ByteAutomaton automaton(TextPattern pattern) {
    try {
      ByteAutomaton automaton =
          RequestErrors.confine(() -> compile.apply(pattern), error -> failure(pattern, error));
      if (!automaton.goesOn(ByteAutomaton.START)) {
        throw new InvalidRequestException(
            pattern.field() + " matches only the empty text; it must match at least one character");
      }
      return automaton;
    } catch (PatternException e) {
      throw new InvalidRequestException(pattern.field() + " " + e.getMessage());
    }
  }

  private static InvalidRequestException failure(TextPattern pattern, Throwable error) {
    return new InvalidRequestException(
        "%s cannot be compiled: %s. Use a simpler pattern".formatted(pattern.field(), error),
        error);
  }
}
