package dev.flinfer.engine;

/**
 * The engine's counters since it was opened, and its gauges.
 *
 * @param steps forward passes
 * @param sequences sum over all steps of the sequences in them, where each branch of a choice
 *     counts as one; divided by {@code steps} it is the mean batch size
 * @param promptTokens computed tokens of prompts and labels
 * @param generatedTokens generated tokens
 * @param prefixCacheHits KV blocks found in the prefix cache
 * @param preemptions sequences that lost their KV blocks and were prefilled again
 * @param failedSteps forward passes that threw, or whose logits were NaN
 * @param running sequences that take part in forward passes now
 * @param waiting sequences that wait
 * @param kvBlocksUsed KV blocks that sequences hold
 * @param kvBlocksTotal all KV blocks
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
