package dev.flinfer.engine;

import java.io.Serializable;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The device on which a model runs: {@code auto}, {@code cpu}, or {@code opencl}, {@code ptx} or
 * {@code cuda} with or without the number of a device, as in {@code opencl:1}.
 *
 * @param number the number of the device among those of its kind; -1 for any
 */
public record DeviceSpecifier(Kind kind, int number) implements Serializable {

  /** The kind of device, by its driver. */
  public enum Kind {
    /** The engine chooses. */
    AUTO,
    CPU,
    OPENCL,
    PTX,
    CUDA;

    private boolean isNumbered() {
      return this != AUTO && this != CPU;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** A GPU if there is one that passes the device check, or else the CPU. */
  public static final DeviceSpecifier AUTO = new DeviceSpecifier(Kind.AUTO, -1);

  public static final DeviceSpecifier CPU = new DeviceSpecifier(Kind.CPU, -1);

  static final List<String> FORMS = List.of("auto", "cpu", "opencl[:n]", "ptx[:n]", "cuda[:n]");

  private static final Pattern PATTERN =
      Pattern.compile("(auto|cpu|opencl|ptx|cuda)(?::(\\d{1,3}))?");

  /**
   * @throws IllegalArgumentException if a number is given to a kind that has none
   */
  public DeviceSpecifier {
    if (number < -1 || number >= 0 && !kind.isNumbered()) {
      throw new IllegalArgumentException(
          "device %s:%d does not exist; take one of %s".formatted(kind, number, FORMS));
    }
  }

  /**
   * Reads the form that {@link #toString} writes.
   *
   * @throws IllegalArgumentException if the text is none of the forms
   */
  public static DeviceSpecifier parse(String text) {
    Matcher matcher = PATTERN.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "%s is not a device; it must be one of %s".formatted(text, FORMS));
    }
    return new DeviceSpecifier(
        Kind.valueOf(matcher.group(1).toUpperCase(Locale.ROOT)),
        matcher.group(2) == null ? -1 : Integer.parseInt(matcher.group(2)));
  }

  /** Whether it names the device with the given id, such as {@code opencl:1}. */
  public boolean names(String id) {
    return id.equals(toString()) || number < 0 && id.startsWith(kind + ":");
  }

  @Override
  public String toString() {
    return number < 0 ? kind.toString() : kind + ":" + number;
  }
}
