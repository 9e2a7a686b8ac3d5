/**
 * The CPU backend, on the Vector API. The only package that imports {@code jdk.incubator.vector}.
 *
 * <p>Every number it computes has one fixed order of additions that depends neither on the batch
 * nor on the number of threads. For that nothing here adds up the lanes of a vector ({@code
 * reduceLanes(ADD)} may change its order between interpreted and compiled code); lanes are outputs,
 * and each sums its terms one after the other.
 */
package dev.flinfer.engine.cpu;
