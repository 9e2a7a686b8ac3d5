package dev.flinfer.engine.device;

import dev.flinfer.engine.weights.DType;

/**
 * What a model takes on a device, before anything is allocated.
 *
 * @param weightBytes all weights
 * @param scratchBytes activations, tables and whatever else does not grow with the KV blocks
 * @param largestBytes the largest single allocation of these two
 * @param kvBlockBytes one KV block in all layers
 * @param maxKvBlocks the most blocks that the device's largest allocation and Java's arrays hold
 * @param weightType the type that the matrices run in, or null if each keeps its stored values
 */
public record DevicePlan(
    long weightBytes,
    long scratchBytes,
    long largestBytes,
    long kvBlockBytes,
    int maxKvBlocks,
    DType weightType) {}
