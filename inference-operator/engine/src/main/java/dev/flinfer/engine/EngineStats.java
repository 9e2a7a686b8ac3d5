package dev.flinfer.engine;

/**
 * The engine's counters since it was opened, and its gauges.
 *
 * @param steps forward passes
 * @param sequences sequences in them, each branch of a choice as one, added up: divided by steps it
 *     is the mean batch size
 * @param promptTokens tokens of prompts and labels that were computed
 * @param generatedTokens tokens that were generated
 * @param prefixCacheHits KV blocks found in the prefix cache
 * @param preemptions sequences that gave their KV blocks back to be computed again
 * @param failedSteps forward passes that threw, or whose logits were no numbers
 * @param running sequences that take part in forward passes now
 * @param waiting sequences that wait
 * @param kvBlocksUsed KV blocks that sequences hold
 * @param kvBlocksTotal KV blocks there are
 */
public record EngineStats(
    long steps,
    long sequences,
    long promptTokens,
    long generatedTokens,
    long prefixCacheHits,
    long preemptions,
    long failedSteps,
    int running,
    int waiting,
    int kvBlocksUsed,
    int kvBlocksTotal) {}
