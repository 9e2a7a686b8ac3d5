package dev.flinfer.engine.batching;

/** What decides when a sequence is scheduled, beside its request's priority. */
final class QueuePlace {
  private Siblings siblings = new Siblings();
  private boolean further;
  private long arrival;
  private int turn;
  private boolean promoted;

  /** Place in the order of arrival. */
  long arrival() {
    return arrival;
  }

  void arrived(long number) {
    arrival = number;
  }

  /** Its place among prompts: 0, or for a further output its number among those of its request. */
  int turn() {
    return turn;
  }

  void turn(int number) {
    turn = number;
  }

  /** The sequences of its request. */
  Siblings siblings() {
    return siblings;
  }

  /**
   * Makes it one of several outputs of a request.
   *
   * @param index 0 for the first
   */
  void outputOf(Siblings request, int index) {
    siblings = request;
    further = index > 0;
  }

  /** Whether it is an output after the first of its request. */
  boolean isFurtherOutput() {
    return further;
  }

  /** Whether it goes before all that are not promoted; see {@link Waiting}. */
  boolean promoted() {
    return promoted;
  }

  void promote() {
    promoted = true;
  }
}
