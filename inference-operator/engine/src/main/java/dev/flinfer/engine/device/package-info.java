/**
 * The interface between the engine and the devices that run models: {@link
 * dev.flinfer.engine.device.ForwardPass} is one forward pass, a {@link
 * dev.flinfer.engine.device.Backend} provides devices, {@link dev.flinfer.engine.device.Devices}
 * finds, checks and opens one.
 *
 * <p>It must not import a backend, {@code cpu} included: all are found by {@link
 * java.util.ServiceLoader}.
 */
package dev.flinfer.engine.device;
