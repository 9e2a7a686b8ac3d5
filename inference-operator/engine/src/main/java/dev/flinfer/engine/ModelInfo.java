package dev.flinfer.engine;

/**
 * The model that an engine runs.
 *
 * @param name last part of the model's path
 * @param digest SHA-256 in hex over configuration, tokenizer, tensor headers and bytes of each
 *     tensor: models that differ only in training have different digests
 * @param device a description, such as {@code cpu (2 threads, 512-bit vectors)}
 * @param maxModelLen maximum number of tokens of prompt and completion together
 * @param vocabSize number of token ids
 */
public record ModelInfo(String name, String digest, String device, int maxModelLen, int vocabSize) {

  /**
   * Refuses a token id that the model does not have.
   *
   * @param field the field of the request that holds the id
   * @throws InvalidRequestException naming the field, the id and the range
   */
  public void requireToken(String field, int token) {
    if (token < 0 || token >= vocabSize) {
      throw new InvalidRequestException(
          "%s holds %d; token ids of this model range from 0 to %d"
              .formatted(field, token, vocabSize - 1));
    }
  }
}
