package dev.flinfer.cli;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.InvalidOptionException;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.weights.WeightFileException;
import dev.flinfer.schema.WireFormatException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Exceptions as one line for the user. */
public final class Errors {
  private Errors() {}

  /** Returns the message of the root cause, which frameworks wrap several times. */
  public static String rootMessage(Throwable error) {
    Throwable root = error;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return message(root);
  }

  public static String message(Throwable error) {
    if (error instanceof UncheckedIOException && error.getCause() != null) {
      return message(error.getCause());
    }
    // The message of these file system exceptions is only the path.
    if (error instanceof NoSuchFileException missing) {
      return missing.getFile() + " does not exist";
    }
    if (error instanceof AccessDeniedException denied) {
      return denied.getFile() + " cannot be read: this user lacks the permission";
    }
    String text = error.getMessage();
    if (text == null || text.isBlank()) {
      return error.getClass().getName();
    }
    return isForUsers(error) || error instanceof EngineException
        ? text
        : error.getClass().getSimpleName() + ": " + text;
  }

  /** Whether the command line is wrong, whatever the state of files, brokers and devices. */
  public static boolean isUsage(Throwable error) {
    return error instanceof UsageError
        || error instanceof InvalidOptionException
        // Of a request in a file or a topic, it is reported where it is found.
        || error instanceof InvalidRequestException;
  }

  /** Whether the message is all that a user needs. */
  public static boolean isForUsers(Throwable error) {
    return error instanceof UserError
        || error instanceof InvalidRequestException
        || error instanceof WireFormatException
        || error instanceof WeightFileException
        || error instanceof IllegalArgumentException
        || error instanceof FileSystemException;
  }
}
