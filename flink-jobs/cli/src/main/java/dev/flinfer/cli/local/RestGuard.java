package dev.flinfer.cli.local;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.WebOptions;
import org.apache.flink.runtime.io.network.netty.InboundChannelHandlerFactory;
import org.apache.flink.shaded.netty4.io.netty.buffer.Unpooled;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelFutureListener;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandler;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandlerContext;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelInboundHandlerAdapter;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.DefaultFullHttpResponse;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.FullHttpResponse;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpHeaderNames;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpMethod;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpRequest;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpResponseStatus;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpServerCodec;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpVersion;
import org.apache.flink.shaded.netty4.io.netty.util.ReferenceCountUtil;

/**
 * Lets Flink's REST interface of a {@link LocalCluster} only be read. Without it, any local user,
 * and any web page in a browser on this machine, could cancel the job, have Flink write savepoints,
 * and run code by submitting a job: Flink's own options only hide these from its web UI.
 *
 * <p>Flink finds this class as a service, also for clusters that are not a {@code LocalCluster};
 * there it does nothing.
 */
public final class RestGuard implements InboundChannelHandlerFactory {
  /** Set by {@link LocalCluster} in its own configuration. */
  static final ConfigOption<Boolean> ENABLED =
      ConfigOptions.key("flinfer.local-cluster").booleanType().defaultValue(false);

  @Override
  public int priority() {
    return 0;
  }

  @Override
  public Optional<ChannelHandler> createHandler(
      Configuration configuration, Map<String, String> responseHeaders) {
    return configuration.get(ENABLED)
        ? Optional.of(new Installer(configuration.get(WebOptions.CANCEL_ENABLE)))
        : Optional.empty();
  }

  /** Flink appends its handlers behind the one that stores uploads; the filter goes before it. */
  private static final class Installer extends ChannelInboundHandlerAdapter {
    private final boolean allowsCancel;

    Installer(boolean allowsCancel) {
      this.allowsCancel = allowsCancel;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
      String codec = context.pipeline().context(HttpServerCodec.class).name();
      context.pipeline().addAfter(codec, null, new Filter(allowsCancel));
      context.pipeline().remove(this);
    }
  }

  private static final class Filter extends ChannelInboundHandlerAdapter {
    private final boolean allowsCancel;
    private boolean refused;

    Filter(boolean allowsCancel) {
      this.allowsCancel = allowsCancel;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      if (message instanceof HttpRequest request && !refused) {
        String reason = refusal(request);
        refused = reason != null;
        if (refused) {
          respond(context, reason);
        }
      }
      if (refused) {
        ReferenceCountUtil.release(message); // also the rest of a body
      } else {
        context.fireChannelRead(message);
      }
    }

    /** Returns why the request is refused, or null. */
    private String refusal(HttpRequest request) {
      String host = request.headers().get(HttpHeaderNames.HOST, "");
      if (!host.matches("(127\\.0\\.0\\.1|localhost)(:\\d+)?")) {
        // A page of another site whose name was pointed to this address.
        return "This server answers to 127.0.0.1 and localhost, not to " + host;
      }
      HttpMethod method = request.method();
      boolean reads = method.equals(HttpMethod.GET) || method.equals(HttpMethod.HEAD);
      if (reads && !request.uri().contains("/yarn-")) { // these cancel, although they are GET
        return null;
      }
      String origin = request.headers().get(HttpHeaderNames.ORIGIN);
      boolean isForeign = origin != null && !origin.equals("http://" + host);
      if (allowsCancel && method.equals(HttpMethod.PATCH) && !isForeign) {
        return null;
      }
      return "The REST interface of this cluster can only be read. End the job with Ctrl-C; with"
          + " --set %s=true it can be canceled here".formatted(WebOptions.CANCEL_ENABLE.key());
    }

    private static void respond(ChannelHandlerContext context, String reason) {
      FullHttpResponse response =
          new DefaultFullHttpResponse(
              HttpVersion.HTTP_1_1,
              HttpResponseStatus.FORBIDDEN,
              Unpooled.copiedBuffer(reason + "\n", StandardCharsets.UTF_8));
      response.headers().set(HttpHeaderNames.CONTENT_TYPE, "text/plain; charset=UTF-8");
      response.headers().setInt(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes());
      context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
    }
  }
}
