package dev.flinfer.engine.device;

import dev.flinfer.engine.weights.DType;

/**
 * The memory that a model takes on a device, before anything is allocated.
 *
 * @param weightBytes bytes of all weights
 * @param scratchBytes bytes of activations, tables and everything else that does not grow with the
 *     KV blocks
 * @param largestBytes the largest single allocation of these two
 * @param kvBlockBytes bytes of one KV block in all layers
 * @param maxKvBlocks maximum number of blocks in the device's largest allocation and Java's arrays
 * @param weightType the type in which the matrices run, or null if each keeps its stored values
 */
public record DevicePlan(
    long weightBytes,
    long scratchBytes,
    long largestBytes,
    long kvBlockBytes,
    int maxKvBlocks,
    DType weightType) {}
