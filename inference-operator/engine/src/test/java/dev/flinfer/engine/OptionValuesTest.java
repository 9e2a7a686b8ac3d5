package dev.flinfer.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.flinfer.engine.weights.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The types of options that have a text of their own. */
final class OptionValuesTest {

  @ParameterizedTest
  @ValueSource(strings = {"auto", "cpu", "opencl", "ptx", "cuda", "opencl:0", "cuda:17"})
  void aDeviceIsReadAsItIsWritten(String text) {
    assertThat(DeviceSpecifier.parse(text)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "gpu", "Cuda", "cpu:0", "auto:1", "cuda:", "cuda:-1", "cuda:1000"})
  void anUnknownDeviceIsRefused(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> DeviceSpecifier.parse(text));
  }

  @Test
  void aDeviceWithoutANumberNamesAllOfItsKind() {
    assertThat(DeviceSpecifier.parse("opencl").names("opencl:1")).isTrue();
    assertThat(DeviceSpecifier.parse("opencl").names("ptx:1")).isFalse();
    assertThat(DeviceSpecifier.parse("opencl:1").names("opencl:1")).isTrue();
    assertThat(DeviceSpecifier.parse("opencl:1").names("opencl:10")).isFalse();
    assertThat(DeviceSpecifier.CPU.names("cpu")).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, 0 bytes",
    "1, 1, 1 bytes",
    "1024b, 1024, 1 kb",
    "1025 bytes, 1025, 1025 bytes",
    "6 mb, 6291456, 6 mb",
    "6MebiBytes, 6291456, 6 mb",
    "1536 k, 1572864, 1536 kb",
    "4g, 4294967296, 4 gb",
    "8388607 tb, 9223370937343148032, 8388607 tb"
  })
  void aMemorySizeHasAUnit(String text, long bytes, String written) {
    assertThat(MemorySizes.parse(text)).isEqualTo(bytes);
    assertThat(MemorySizes.format(bytes)).isEqualTo(written);
    assertThat(MemorySizes.parse(written)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-1", "mb", "1.5 gb", "4 xb", "8388608 tb", "9223372036854775808"})
  void whatIsNotAMemorySizeIsRefused(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> MemorySizes.parse(text));
  }

  @Test
  void weightsAreTheTypesOfTensorsThatMatricesRunIn() {
    assertThat(Weights.of(DType.Q8_0)).isEqualTo(Weights.Q8_0);
    assertThat(Weights.of(null)).isEqualTo(Weights.AUTO);
    assertThat(Weights.W8A8.type()).isNull();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Weights.of(DType.Q6_K))
        .withMessage("matrices do not run in Q6_K");
  }
}
