package dev.flinfer.tornado;

import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The dimensions of a model and all arrays that its steps read and write.
 *
 * @param control see {@link StepControl}
 * @param wanted see {@link WantedRows}
 */
record StepArrays(
    Shape shape, DeviceWeights weights, Activations act, IntArray control, IntArray wanted) {}
