package dev.flinfer.cli.soak;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** Keeps the disk busy with writing, so that it is slow for others. */
final class BusyDisk implements AutoCloseable {
  private static final int WRITERS = 4;
  private static final int CHUNK = 4 << 20;
  private static final int CHUNKS = 32;

  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean closed;

  BusyDisk(Path directory) {
    for (int i = 0; i < WRITERS; i++) {
      Path file = directory.resolve("busy-" + i);
      Thread thread = new Thread(() -> write(file), "flinfer-soak-" + file.getFileName());
      thread.setDaemon(true);
      thread.start();
      threads.add(thread);
    }
  }

  private void write(Path file) {
    ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.DELETE_ON_CLOSE)) {
      for (int i = 0; !closed; i = (i + 1) % CHUNKS) {
        chunk.clear();
        channel.write(chunk, (long) i * CHUNK);
        channel.force(true);
      }
    } catch (IOException e) {
      // a full disk: the processes notice it, too
    }
  }

  @Override
  public void close() {
    closed = true;
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
