/**
 * The seam between the engine and the devices that models run on: {@link
 * dev.flinfer.engine.device.ForwardPass} is one forward pass, {@link
 * dev.flinfer.engine.device.Backend} brings devices, {@link dev.flinfer.engine.device.Devices}
 * finds, checks and opens one.
 *
 * <p>It must not import a backend, {@code cpu} included: all are found by {@link
 * java.util.ServiceLoader}.
 */
package dev.flinfer.engine.device;
