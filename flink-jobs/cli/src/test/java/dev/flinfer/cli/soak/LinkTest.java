package dev.flinfer.cli.soak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class LinkTest {
  private ServerSocket target;
  private Link link;
  private int port;

  @BeforeEach
  void open() throws IOException {
    target = listen();
    try (ServerSocket free = listen()) {
      port = free.getLocalPort();
    }
    link = new Link("link", port, target.getLocalPort());
  }

  @AfterEach
  void close() throws IOException {
    link.close();
    target.close();
  }

  private static ServerSocket listen() throws IOException {
    return new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
  }

  private Socket connect() throws IOException {
    return new Socket(InetAddress.getLoopbackAddress(), port);
  }

  @Test
  void bytesGoBothWays() throws IOException {
    try (Socket client = connect();
        Socket server = target.accept()) {
      client.getOutputStream().write(7);
      assertThat(server.getInputStream().read()).isEqualTo(7);
      server.getOutputStream().write(8);
      assertThat(client.getInputStream().read()).isEqualTo(8);
    }
  }

  @Test
  void whatStallsArrivesLater() throws IOException {
    try (Socket client = connect();
        Socket server = target.accept()) {
      link.stall();
      client.getOutputStream().write(7);
      server.setSoTimeout(100);
      assertThatThrownBy(() -> server.getInputStream().read())
          .isInstanceOf(SocketTimeoutException.class);
      server.setSoTimeout(0);
      link.open();
      assertThat(server.getInputStream().read()).isEqualTo(7);
    }
  }

  @Test
  void aCutEndsConnectionsAndRefusesNewOnes() throws IOException {
    try (Socket client = connect();
        Socket server = target.accept()) {
      link.cut();
      assertThat(ends(server)).isTrue();
      assertThat(ends(client)).isTrue();
      try (Socket refused = connect()) {
        assertThat(ends(refused)).isTrue();
      }
    }
    link.open();
    bytesGoBothWays();
  }

  private static boolean ends(Socket socket) {
    try {
      return socket.getInputStream().read() < 0;
    } catch (IOException e) {
      return true; // reset
    }
  }
}
