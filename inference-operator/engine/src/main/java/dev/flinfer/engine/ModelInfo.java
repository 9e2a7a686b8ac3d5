package dev.flinfer.engine;

/**
 * What an engine runs.
 *
 * @param name last part of the model's path
 * @param digest SHA-256 in hex over configuration, tokenizer, tensor headers and bytes of each
 *     tensor: models that differ in training alone have different ones
 * @param device such as {@code cpu (2 threads, 512-bit vectors)}
 * @param maxModelLen most tokens of prompt and completion together
 * @param vocabSize number of token ids
 */
public record ModelInfo(String name, String digest, String device, int maxModelLen, int vocabSize) {

  /**
   * Refuses a token id that the model does not have.
   *
   * @param field of the request that holds it
   * @throws InvalidRequestException naming the field, the id and the range
   */
  public void requireToken(String field, int token) {
    if (token < 0 || token >= vocabSize) {
      throw new InvalidRequestException(
          "%s holds %d; token ids of this model go from 0 to %d"
              .formatted(field, token, vocabSize - 1));
    }
  }
}
