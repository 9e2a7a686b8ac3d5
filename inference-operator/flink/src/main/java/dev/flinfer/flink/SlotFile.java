package dev.flinfer.flink;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * A memory-mapped file of texts. The operating system keeps what was written to it when the process
 * dies, however it dies. The process holds a lock on its file, which ends with the process.
 *
 * <p>Each slot is a length, 0 if it is free, and that many bytes of text.
 */
final class SlotFile {
  private static final int SLOTS = 128;
  private static final int SLOT_BYTES = 512;
  private static final int MAX_TEXT = SLOT_BYTES - Integer.BYTES;

  private static final ValueLayout.OfInt LENGTH =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LENGTH_AT = LENGTH.varHandle();

  private final Path path;
  private final MemorySegment memory;
  private final AtomicIntegerArray taken = new AtomicIntegerArray(SLOTS);

  /** Never closed: closing it would end the lock. */
  @SuppressWarnings("unused")
  private final FileChannel channel;

  private SlotFile(Path path, FileChannel channel) throws IOException {
    this.path = path;
    this.channel = channel;
    this.memory =
        channel.map(FileChannel.MapMode.READ_WRITE, 0, (long) SLOTS * SLOT_BYTES, Arena.ofAuto());
  }

  /** Creates the file of this process; it must not exist. */
  static SlotFile create(Path path) throws IOException {
    FileChannel channel =
        FileChannel.open(
            path,
            Set.of(
                StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    // Written, not only extended: on a full disk a write to mapped memory would end the process.
    ByteBuffer zeros = ByteBuffer.allocate(SLOTS * SLOT_BYTES);
    while (zeros.hasRemaining()) {
      channel.write(zeros);
    }
    if (channel.tryLock() == null) {
      throw new IOException(path + " is locked by another process");
    }
    return new SlotFile(path, channel);
  }

  Path path() {
    return path;
  }

  /** Writes a text into a free slot; returns the slot, -1 if none is free or the text is long. */
  int write(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > MAX_TEXT) {
      return -1;
    }
    for (int slot = 0; slot < SLOTS; slot++) {
      if (taken.get(slot) == 0 && taken.compareAndSet(slot, 0, 1)) {
        long at = (long) slot * SLOT_BYTES;
        MemorySegment.copy(
            bytes, 0, memory, ValueLayout.JAVA_BYTE, at + Integer.BYTES, bytes.length);
        LENGTH_AT.setRelease(memory, at, bytes.length);
        return slot;
      }
    }
    return -1;
  }

  void clear(int slot) {
    LENGTH_AT.setRelease(memory, (long) slot * SLOT_BYTES, 0);
    taken.set(slot, 0);
  }

  /**
   * Reads and deletes the file of a process that has ended.
   *
   * @return the texts in its slots; null if the process runs
   */
  static List<String> takeFromDead(Path path) throws IOException {
    try (FileChannel channel =
        FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      if (channel.tryLock() == null) {
        return null;
      }
      ByteBuffer bytes = ByteBuffer.allocate(SLOTS * SLOT_BYTES).order(ByteOrder.LITTLE_ENDIAN);
      while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
        // until all is read, or the file ends, because the process died while it created it
      }
      Files.delete(path);
      return texts(bytes);
    } catch (OverlappingFileLockException e) {
      return null; // of this process
    }
  }

  private static List<String> texts(ByteBuffer bytes) {
    List<String> texts = new ArrayList<>();
    for (int at = 0; at + SLOT_BYTES <= bytes.position(); at += SLOT_BYTES) {
      int length = bytes.getInt(at);
      if (length > 0 && length <= MAX_TEXT) {
        byte[] text = new byte[length];
        bytes.get(at + Integer.BYTES, text);
        texts.add(new String(text, StandardCharsets.UTF_8));
      }
    }
    return texts;
  }
}
