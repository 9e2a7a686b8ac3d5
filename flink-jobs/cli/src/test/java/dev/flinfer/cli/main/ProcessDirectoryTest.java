package dev.flinfer.cli.main;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ProcessDirectoryTest {
  private static final String USER = System.getProperty("user.name");

  @TempDir private Path temp;

  @Test
  void deletesWhatAKilledProcessLeftAndNothingOfALivingOne() throws Exception {
    Path root = Files.createDirectories(temp.resolve("flinfer-" + USER));
    Path left = Files.createDirectories(root.resolve("process-1").resolve("blobs"));
    Files.writeString(left.resolve("file"), "x");
    Path living = ProcessDirectory.create(temp, USER).orElseThrow().directory();

    Path created = ProcessDirectory.create(temp, USER).orElseThrow().directory();

    assertThat(root.resolve("process-1")).doesNotExist();
    assertThat(living).isDirectory();
    assertThat(created).isDirectory().isNotEqualTo(living);
  }

  @Test
  void onlyTheOwnerCanEnterIt() throws Exception {
    Path created = ProcessDirectory.create(temp, USER).orElseThrow().directory();

    for (Path directory : new Path[] {created, created.getParent()}) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)))
          .isEqualTo("rwx------");
    }
  }

  @Test
  void aDirectoryOfAnotherUserIsNotUsed() throws Exception {
    assertThat(ProcessDirectory.create(temp, "nobody-" + USER)).isEmpty();
  }

  @Test
  void aLinkIsNotFollowed() throws Exception {
    Path elsewhere = Files.createDirectory(temp.resolve("elsewhere"));
    Files.createSymbolicLink(temp.resolve("flinfer-" + USER), elsewhere);

    assertThat(ProcessDirectory.create(temp, USER)).isEmpty();
    assertThat(elsewhere).isEmptyDirectory();
  }
}
