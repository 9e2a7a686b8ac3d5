package dev.flinfer.flink;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.StampedLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds poison pills even when they kill the process: what is about to be tried is noted in a file
 * before it is tried. An entry that is left when its process has ended counts as an attempt.
 *
 * <p>When several entries are left, one of them ended the process and the others are innocent. So
 * none of them counts; they are suspects, and each is next tried while nothing else is. Then an
 * entry that is left is the cause. An ordinary kill therefore needs to hit the same entry as often
 * as the limit to have it rejected, with no success in between.
 *
 * <p>One journal per directory and process, never closed. Without a usable directory it does
 * nothing: it must not fail the job. Thread-safe.
 */
final class AdmissionJournal {
  private static final Logger LOG = LoggerFactory.getLogger(AdmissionJournal.class);
  private static final String SLOTS = ".slots";
  private static final String LOCK = "lock";
  private static final Map<Path, AdmissionJournal> OF_PROCESS = new ConcurrentHashMap<>();
  private static final AtomicInteger FILES = new AtomicInteger();

  /** Notes nothing and remembers nothing. */
  static final AdmissionJournal NONE = new AdmissionJournal(null);

  private final Path directory;
  private final AttemptFiles files;

  /** Number of attempts, by the hash of what was tried; 0 for suspects. Usually empty. */
  private volatile Map<String, Integer> attempts = new ConcurrentHashMap<>();

  /** Suspects are tried under the write lock, everything else under the read lock. */
  private final StampedLock gate = new StampedLock();

  private volatile SlotFile slots; // null if the directory cannot be used
  private boolean warned;

  private AdmissionJournal(Path directory) {
    this.directory = directory;
    this.files = directory == null ? null : new AttemptFiles(directory);
  }

  /** The process's journal in a directory, with the entries that ended processes have left. */
  static AdmissionJournal in(Path directory) {
    AdmissionJournal journal =
        OF_PROCESS.computeIfAbsent(directory.toAbsolutePath().normalize(), AdmissionJournal::new);
    journal.refresh();
    return journal;
  }

  private synchronized void refresh() {
    try {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      try (FileChannel channel = openLock();
          FileLock lock = channel.lock()) {
        LOG.debug("{} is locked: {}", directory, lock);
        takeFromDead(files.load());
        load();
      } catch (OverlappingFileLockException e) { // held by a journal of another class loader
        load();
      }
    } catch (IOException | RuntimeException e) {
      warn(e);
    }
  }

  private FileChannel openLock() throws IOException {
    return FileChannel.open(
        directory.resolve(LOCK),
        Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
  }

  /** Under the lock: until a new file is locked itself, it looks like that of a dead process. */
  private void load() throws IOException {
    attempts = new ConcurrentHashMap<>(files.load());
    if (slots == null) {
      slots = createSlots();
    }
  }

  private SlotFile createSlots() throws IOException {
    SlotFile created =
        SlotFile.create(directory.resolve(process() + "-" + FILES.incrementAndGet() + SLOTS));
    // In a directory that all may write to, somebody else may have created it before.
    if (!Files.getOwner(created.path()).equals(Files.getOwner(directory))) {
      Files.delete(created.path());
      throw new IOException(directory + " belongs to another user");
    }
    return created;
  }

  /** Identifies this process on this machine, whichever class loader asks. */
  private static String process() {
    ProcessHandle process = ProcessHandle.current();
    return process.pid() + "-" + process.info().startInstant().orElse(Instant.EPOCH).toEpochMilli();
  }

  private void takeFromDead(Map<String, Integer> known) throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(directory, "*" + SLOTS)) {
      for (Path file : all) {
        // Opening and closing a file of this process would end the lock on it.
        boolean own = file.getFileName().toString().startsWith(process() + "-");
        List<String> left = own ? null : SlotFile.takeFromDead(file);
        if (left != null) {
          count(left, known);
        }
      }
    }
  }

  private void count(List<String> left, Map<String, Integer> known) throws IOException {
    for (String text : left) {
      if (left.size() > 1) {
        files.suspect(text);
        LOG.warn("A process ended during {}, one of {} that may be the cause", text, left.size());
      } else {
        int before = known.getOrDefault(AttemptFiles.hash(text), 0);
        files.add(text, before);
        known.put(AttemptFiles.hash(text), before + 1);
        LOG.warn("A process ended during {}; it ended {} times during it", text, before + 1);
      }
    }
  }

  private synchronized void warn(Throwable why) {
    if (!warned) {
      warned = true;
      LOG.warn(
          "The admission journal in {} cannot be used, so a request that ends the process is tried"
              + " again after each restart. Set {} to a directory that this user can write to, or to"
              + " none",
          directory,
          FlinferOptions.ADMISSION_JOURNAL_DIR.key(),
          why);
    }
  }

  Path directory() {
    return directory;
  }

  /** How often the process ended while this was tried. */
  int attempts(String text) {
    return attempts.isEmpty() ? 0 : attempts.getOrDefault(AttemptFiles.hash(text), 0);
  }

  /** Notes that something is tried; if it is a suspect, waits until nothing else is. */
  Entry begin(String text) {
    SlotFile file = slots;
    if (file == null) {
      return Entry.NONE;
    }
    boolean suspect = !attempts.isEmpty() && attempts.containsKey(AttemptFiles.hash(text));
    long stamp = suspect ? gate.writeLock() : gate.readLock();
    return new Entry(this, text, stamp, write(file, text));
  }

  private void clear(int slot) {
    try {
      slots.clear(slot);
    } catch (InternalError e) {
      warn(e);
    }
  }

  private int write(SlotFile file, String text) {
    try {
      return file.write(text);
    } catch (InternalError e) { // somebody has truncated the file
      warn(e);
      return -1;
    }
  }

  /** Forgets the attempts. */
  void forget(String text) {
    Integer before = attempts.isEmpty() ? null : attempts.remove(AttemptFiles.hash(text));
    if (before != null) {
      try {
        files.remove(text, before);
      } catch (IOException e) {
        warn(e);
      }
    }
  }

  private void failed(String text) {
    int before = attempts(text);
    try {
      files.add(text, before);
      attempts.put(AttemptFiles.hash(text), before + 1);
    } catch (IOException e) {
      warn(e);
    }
  }

  /** Something that is being tried. One of its methods is called, once. */
  static final class Entry {
    static final Entry NONE = new Entry(null, null, 0, -1);

    private final AdmissionJournal journal; // null if nothing is noted
    private final String text;
    private final long stamp;
    private final int slot; // -1 if it has none

    private Entry(AdmissionJournal journal, String text, long stamp, int slot) {
      this.journal = journal;
      this.text = text;
      this.stamp = stamp;
      this.slot = slot;
    }

    /** It has ended, and the process has not; earlier attempts are forgotten. */
    void succeeded() {
      if (journal != null) {
        end();
        journal.forget(text);
      }
    }

    /** It was not tried after all. */
    void cancelled() {
      if (journal != null) {
        end();
      }
    }

    /** It failed with an error that ends the task: that counts like an end of the process. */
    void failed() {
      if (journal != null) {
        journal.failed(text);
        end();
      }
    }

    private void end() {
      if (slot >= 0) {
        journal.clear(slot);
      }
      journal.gate.unlock(stamp);
    }
  }
}
