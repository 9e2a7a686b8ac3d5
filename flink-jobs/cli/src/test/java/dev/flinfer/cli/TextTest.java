package dev.flinfer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class TextTest {

  @Test
  void numbersHaveThousandsSeparatorsAndAboutThreeDigits() {
    assertThat(Text.count(1_234_567)).isEqualTo("1,234,567");
    assertThat(Text.figure(12_345.6)).isEqualTo("12,346");
    assertThat(Text.figure(12.34)).isEqualTo("12.3");
    assertThat(Text.figure(0.1234)).isEqualTo("0.123");
    assertThat(Text.figure(0)).isEqualTo("0");
  }

  @Test
  void durationsHaveAUnitThatFitsTheirLength() {
    assertThat(Text.duration(0.2)).isEqualTo("1 s");
    assertThat(Text.duration(59.5)).isEqualTo("1 min 0 s");
    assertThat(Text.duration(200)).isEqualTo("3 min 20 s");
    assertThat(Text.duration(7_500)).isEqualTo("2 h 5 min");
  }

  @Test
  void aMessageIsFoldedBetweenWordsAndKeepsItsCommands() {
    assertThat(Text.fold("one two three  four", 8))
        .containsExactly("one two", "  three ", "  four");
    assertThat(Text.fold("run `a b c d e f` or stop", 8))
        .containsExactly("run", "  `a b c d e f`", "  or", "  stop");
    assertThat(Text.fold("first: 1\n  a command that is long\n", 8))
        .containsExactly("first: 1", "  a command that is long", "");
    assertThat(Text.fold("unbreakable", 5)).containsExactly("unbreakable");
  }

  @Test
  void aTerminalGetsLinesThatFitAndOthersGetOneLine() {
    String message = "flinfer: " + "word ".repeat(40).strip();
    RecordedConsole terminal = new RecordedConsole();
    terminal.console(true).say(message);
    assertThat(terminal.err().lines()).hasSize(3).allMatch(line -> line.length() <= 80);

    RecordedConsole file = new RecordedConsole();
    file.console(false).say(message);
    assertThat(file.err()).isEqualTo(message + "\n");
  }

  @Test
  void nounsHaveTheirNumber() {
    assertThat(Text.plural(1, "prompt")).isEqualTo("1 prompt");
    assertThat(Text.plural(1_000, "prompt")).isEqualTo("1,000 prompts");
  }

  @Test
  void textIsBrokenBetweenWords() {
    assertThat(Text.wrap(" one two  three\n", 7)).containsExactly("one two", "three");
    assertThat(Text.wrap("unbreakable it is", 5)).containsExactly("unbreakable", "it is");
    assertThat(Text.wrap("", 5)).containsExactly("");
  }
}
