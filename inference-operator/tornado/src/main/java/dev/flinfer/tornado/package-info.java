/**
 * The TornadoVM backend: Phi's forward pass in Java kernels that are compiled for OpenCL, PTX or
 * CUDA devices at run time.
 *
 * <p>A kernel is a static method of a {@code *Kernel} class. It takes arrays and numbers only, so
 * it may have more parameters than other methods. Numbers are compiled in; values that change from
 * step to step are in {@link dev.flinfer.tornado.StepControl}. Each output element is summed in one
 * fixed order, see docs/decisions/0003.
 *
 * <p>The only package that imports {@code uk.ac.manchester.tornado}. Must not import Flink, Kafka
 * or the jobs.
 */
package dev.flinfer.tornado;
