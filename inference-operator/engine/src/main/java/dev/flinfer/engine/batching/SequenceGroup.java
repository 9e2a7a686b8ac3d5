package dev.flinfer.engine.batching;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.RequestErrors;
import dev.flinfer.engine.RequestFailedException;
import dev.flinfer.schema.Completion;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;

/**
 * The outputs of a request with {@code n} above 1, each a sequence with its own seed. The first
 * starts at once; the others start when the prompt is computed, so that they find its keys and
 * values in the prefix cache. The request's listener receives one completion, and the tokens of the
 * first output.
 *
 * <p>Used on the engine's thread only, except for {@link #progress} and {@link #cancel}.
 */
final class SequenceGroup implements Generation {
  private final GenerationListener listener;
  private final GeneratedTokens resumeFrom;
  private final BiConsumer<Sequence, GeneratedTokens> starter;
  private final List<Sequence> members = new ArrayList<>();
  private final Completion[] outputs;
  private int unfinished;
  private boolean ended;
  private volatile boolean followersStarted;

  /**
   * @param maker creates the sequence of one output, with its listener
   * @param starter starts a sequence after the tokens that it resumes from
   */
  SequenceGroup(
      CheckedRequest request,
      GenerationListener listener,
      GeneratedTokens resumeFrom,
      BiFunction<CheckedRequest, GenerationListener, Sequence> maker,
      BiConsumer<Sequence, GeneratedTokens> starter) {
    this.listener = listener;
    this.resumeFrom = resumeFrom;
    this.starter = starter;
    this.outputs = new Completion[request.params().n()];
    this.unfinished = outputs.length;
    Siblings siblings = new Siblings();
    for (int i = 0; i < outputs.length; i++) {
      Sequence member = maker.apply(request.output(i), new Member(i));
      member.place().outputOf(siblings, i);
      members.add(member);
    }
  }

  /** Starts the first sequence, and with it the others. */
  void start() {
    starter.accept(members.get(0), resumeFrom);
  }

  @Override
  public GeneratedTokens progress() {
    List<GeneratedTokens> others = resumeFrom.others();
    if (followersStarted) {
      others = members.stream().skip(1).map(Sequence::progress).toList();
    }
    int attempts = members.stream().mapToInt(Sequence::attempts).max().getAsInt();
    return members.get(0).progress().withAttempts(attempts).withOthers(others);
  }

  @Override
  public int promptTokens() {
    return members.get(0).promptTokens();
  }

  @Override
  public void cancel() {
    members.forEach(Sequence::cancel);
  }

  private void startFollowers() {
    if (!followersStarted) {
      followersStarted = true;
      List<GeneratedTokens> known = resumeFrom.others();
      for (int i = 1; i < outputs.length; i++) {
        GeneratedTokens from = i <= known.size() ? known.get(i - 1) : GeneratedTokens.NONE;
        starter.accept(members.get(i), from.withAttempts(resumeFrom.attempts()));
      }
    }
  }

  private void merge() {
    Completion merged;
    try {
      merged =
          RequestErrors.confine(
              () -> Completions.merge(List.of(outputs)),
              e ->
                  new RequestFailedException(
                      "Completing request %s failed: %s".formatted(outputs[0].getId(), e), 0, e));
    } catch (RequestFailedException e) {
      listener.onRequestFailed(e);
      return;
    }
    listener.onCompletion(merged);
  }

  /** Listens to one sequence. */
  private final class Member implements GenerationListener {
    private final int index;

    Member(int index) {
      this.index = index;
    }

    @Override
    public void onToken(int token, String text) {
      if (listener.streams()) {
        listener.onToken(token, text);
      }
      startFollowers();
    }

    @Override
    public boolean streams() {
      return index == 0; // the others wait for its first token
    }

    @Override
    public void onCompletion(Completion completion) {
      outputs[index] = completion;
      startFollowers(); // if it ends without a token, at its deadline
      unfinished--; // after starting them: the tokens that they resume from may complete them
      if (unfinished == 0) {
        merge();
      }
    }

    @Override
    public int maxAttempts() {
      return listener.maxAttempts();
    }

    @Override
    public void onInvalid(InvalidRequestException why) {
      if (!ended) {
        ended = true;
        cancel();
        listener.onInvalid(why);
      }
    }

    @Override
    public void onRequestFailed(RequestFailedException failure) {
      if (!ended) {
        ended = true;
        cancel(); // there is no completion with an output missing
        listener.onRequestFailed(failure);
      }
    }

    @Override
    public void onFailure(EngineException failure) {
      if (!ended) {
        ended = true;
        listener.onFailure(failure);
      }
    }

    @Override
    public void onClose(EngineException closed) {
      if (!ended) {
        ended = true;
        listener.onClose(closed);
      }
    }
  }
}
