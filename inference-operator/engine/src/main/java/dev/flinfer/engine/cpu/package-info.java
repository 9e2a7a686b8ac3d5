/**
 * The CPU backend, on the Vector API. The only package that imports {@code jdk.incubator.vector}.
 *
 * <p>Every value it computes has one fixed summation order that depends neither on the batch nor on
 * the number of threads. Therefore nothing here adds up the lanes of a vector ({@code
 * reduceLanes(ADD)} may change its order between interpreted and compiled code); lanes are outputs,
 * and each sums its terms in sequence.
 */
package dev.flinfer.engine.cpu;
