package example.rosterimport;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import io.grpc.Status.Code;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Whether an attempt that failed is made again, and when.
 *
 * <p>Sending an import again is safe: under the same import ID the server goes on where it was, and
 * reports again what it has done. Nothing is ever applied twice.
 */
final class Retry {
  private static final long FIRST_WAIT_MS = 1_000;
  private static final long LONGEST_WAIT_MS = 30_000;

  private Retry() {}

  /** True if the same import, sent again, may end better. */
  static boolean isTransient(Status status) {
    return switch (code(status)) {
      case UNAVAILABLE -> true;
      // Another import holds the organisation; RetryInfo says when to ask again.
      case ABORTED -> requestedWait(status).isPresent();
      case CANCELLED, INTERNAL, UNKNOWN -> !hasDetails(status);
      default -> false;
    };
  }

  /** How long to wait before retry number {@code attempt} (1 = the first); status null: OK. */
  static Duration waitBefore(int attempt, Status status) {
    long requested = status == null ? 0 : requestedWait(status).orElse(Duration.ZERO).toMillis();
    long doubled = Math.min(FIRST_WAIT_MS << Math.min(attempt - 1, 10), LONGEST_WAIT_MS);
    long own = status != null && code(status) == Code.ABORTED ? 0 : doubled;
    // Jitter, so that all who lost the same server do not come back at the same moment.
    ThreadLocalRandom random = ThreadLocalRandom.current();
    long backoff = random.nextLong(own / 2, own + 1);
    return Duration.ofMillis(Math.max(backoff, requested) + random.nextLong(250));
  }

  static Code code(Status status) {
    return io.grpc.Status.fromCodeValue(status.getCode()).getCode();
  }

  /**
   * True if the server itself said this: everything it says has details. Without them it was the
   * connection.
   */
  static boolean hasDetails(Status status) {
    return status.getDetailsCount() > 0;
  }

  private static Optional<Duration> requestedWait(Status status) {
    return status.getDetailsList().stream()
        .filter(detail -> detail.is(RetryInfo.class))
        .findFirst()
        .map(Retry::delay);
  }

  private static Duration delay(Any detail) {
    try {
      com.google.protobuf.Duration delay = detail.unpack(RetryInfo.class).getRetryDelay();
      return Duration.ofSeconds(delay.getSeconds(), delay.getNanos());
    } catch (InvalidProtocolBufferException e) {
      return Duration.ZERO;
    }
  }
}
