package dev.flinfer.cli.soak;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A network connection to a port, which can be cut or stall: connections go through this. */
final class Link implements AutoCloseable {
  private static final int BUFFER = 1 << 16;

  /** What happens to connections. */
  private enum State {
    OPEN,
    /** They stay open, and nothing gets through. */
    STALLED,
    /** They are closed, and so are new ones. */
    CUT,
  }

  private final String name;
  private final int targetPort;
  private final ServerSocket server;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private State state = State.OPEN;

  /** Accepts connections on a port, and connects each with the other port. */
  Link(String name, int port, int targetPort) throws IOException {
    this.name = name;
    this.targetPort = targetPort;
    server = new ServerSocket(port, 0, InetAddress.getLoopbackAddress());
    daemon(this::accept);
  }

  String name() {
    return name;
  }

  void stall() {
    set(State.STALLED);
  }

  void cut() {
    set(State.CUT);
    sockets.forEach(Link::closeQuietly);
  }

  void open() {
    set(State.OPEN);
  }

  private synchronized void set(State next) {
    state = next;
    notifyAll();
  }

  private synchronized boolean is(State other) {
    return state == other;
  }

  private synchronized void awaitNotStalled() {
    try {
      while (state == State.STALLED) {
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        connect(server.accept());
      } catch (IOException e) {
        if (!server.isClosed()) {
          throw new UncheckedIOException("The " + name + " accepts no connections", e);
        }
      }
    }
  }

  private void connect(Socket client) {
    try {
      if (is(State.CUT)) {
        client.close();
        return;
      }
      Socket target = new Socket(InetAddress.getLoopbackAddress(), targetPort);
      sockets.add(client);
      sockets.add(target);
      daemon(() -> pump(client, target));
      daemon(() -> pump(target, client));
      if (is(State.CUT)) { // meanwhile
        cut();
      }
    } catch (IOException e) {
      closeQuietly(client); // the process behind it is down
    }
  }

  private void pump(Socket from, Socket to) {
    byte[] buffer = new byte[BUFFER];
    try (from;
        to) {
      for (int n = from.getInputStream().read(buffer);
          n >= 0;
          n = from.getInputStream().read(buffer)) {
        awaitNotStalled();
        to.getOutputStream().write(buffer, 0, n);
      }
    } catch (IOException e) {
      // closed at one of its ends
    } finally {
      sockets.remove(from);
      sockets.remove(to);
    }
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // closed is what it is to be
    }
  }

  private void daemon(Runnable work) {
    Thread thread = new Thread(work, "flinfer-soak-" + name);
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    server.close();
    cut();
  }
}
