package example.rosterimport;

import com.userimport.v1.ImportServiceGrpc;
import com.userimport.v1.ImportServiceGrpc.ImportServiceBlockingStub;
import com.userimport.v1.ImportServiceGrpc.ImportServiceStub;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.MetadataUtils;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.concurrent.TimeUnit;

/** The connection to a server, and who is calling. */
public final class Connection implements AutoCloseable {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final ManagedChannel channel;
  private final ImportServiceStub stub;
  private final ImportServiceBlockingStub blockingStub;

  private Connection(ManagedChannel channel, Channel authorized) {
    this.channel = channel;
    stub = ImportServiceGrpc.newStub(authorized);
    blockingStub = ImportServiceGrpc.newBlockingStub(authorized);
  }

  /**
   * Opens a connection.
   *
   * @param endpoint https://HOST:PORT, or http://HOST:PORT without TLS. HOST:PORT alone has TLS, unless it is this
   *     machine and {@code ca} is null
   * @param ca PEM file of the authorities to trust; null: those of the system
   * @param token says who is calling; null: nobody. Without TLS anyone on the way can read it.
   * @throws IOException where {@code ca} cannot be read
   * @throws IllegalArgumentException where it has no certificate, or the endpoint or the token cannot be one
   */
  public static Connection open(String endpoint, File ca, String token) throws IOException {
    if (token != null && !token.chars().allMatch(c -> c >= ' ' && c <= '~')) {
      throw new IllegalArgumentException("a token has printable ASCII characters only");
    }
    Endpoint server = Endpoint.parse(endpoint, ca != null);
    ChannelCredentials security = InsecureChannelCredentials.create();
    if (server.isTls()) {
      // The system's are those of the Java installation, which systems keep up to date.
      security = ca == null ? TlsChannelCredentials.create() : trust(ca);
    }
    // A server that is gone without a word is noticed within half a minute.
    ManagedChannel channel =
        Grpc.newChannelBuilder(server.host(), security)
            .keepAliveTime(20, TimeUnit.SECONDS)
            .keepAliveTimeout(10, TimeUnit.SECONDS)
            .build();
    if (token == null) {
      return new Connection(channel, channel);
    }
    Metadata headers = new Metadata();
    headers.put(AUTHORIZATION, "Bearer " + token);
    ClientInterceptor interceptor = MetadataUtils.newAttachHeadersInterceptor(headers);
    return new Connection(channel, ClientInterceptors.intercept(channel, interceptor));
  }

  private static ChannelCredentials trust(File ca) throws IOException {
    byte[] pem = Files.readAllBytes(ca.toPath());
    if (!new String(pem, StandardCharsets.US_ASCII).contains("-----BEGIN CERTIFICATE-----")) {
      throw new IllegalArgumentException("there is no certificate in the file of authorities");
    }
    return TlsChannelCredentials.newBuilder().trustManager(ca).build();
  }

  ImportServiceStub stub() {
    // How long to wait between attempts is Retry's; gRPC need not wait on top of that.
    channel.resetConnectBackoff();
    return stub;
  }

  /** For calls with one answer. */
  ImportServiceBlockingStub blockingStub() {
    channel.resetConnectBackoff();
    return blockingStub;
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
