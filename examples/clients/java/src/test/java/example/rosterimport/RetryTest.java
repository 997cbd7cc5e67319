package example.rosterimport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import io.grpc.Status.Code;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is tried again, and when. */
class RetryTest {
  private static final RetryInfo RETRY =
      RetryInfo.newBuilder().setRetryDelay(Duration.newBuilder().setSeconds(7)).build();
  private static final ErrorInfo INFO = ErrorInfo.newBuilder().setReason("WHY").build();

  private static Status failed(Code code, Message... details) {
    Status.Builder status = Status.newBuilder().setCode(code.value()).setMessage("why");
    Stream.of(details).map(Any::pack).forEach(status::addDetails);
    return status.build();
  }

  static Stream<Arguments> ends() {
    return Stream.of(
        Arguments.of(failed(Code.UNAVAILABLE), true, 5),
        Arguments.of(failed(Code.UNAVAILABLE, RETRY), true, 5),
        Arguments.of(failed(Code.ABORTED, INFO, RETRY), true, 5),
        Arguments.of(failed(Code.ABORTED, INFO), false, 4),
        Arguments.of(failed(Code.CANCELLED), true, 5),
        Arguments.of(failed(Code.CANCELLED, INFO), false, 6),
        Arguments.of(failed(Code.INTERNAL), true, 5),
        Arguments.of(failed(Code.INTERNAL, INFO), false, 5),
        Arguments.of(failed(Code.UNKNOWN), true, 5),
        Arguments.of(failed(Code.DEADLINE_EXCEEDED), false, 5),
        Arguments.of(failed(Code.FAILED_PRECONDITION, INFO), false, 4),
        Arguments.of(failed(Code.UNAUTHENTICATED, INFO), false, 4),
        Arguments.of(null, true, 5));
  }

  @ParameterizedTest
  @MethodSource("ends")
  void onlyWhatMayEndBetterIsSentAgain(Status status, boolean isTransient, int exitCode) {
    Ended ended = new Ended("id", null, status);
    assertEquals(isTransient, ended.isTransient());
    assertEquals(exitCode, ended.exitCode());
  }

  @Test
  void waitsGrowToHalfAMinuteAndNeverFallShortOfWhatTheServerAsks() {
    for (int attempt = 1; attempt < 50; attempt++) {
      long own = attempt > 5 ? 30_000 : 1_000L << (attempt - 1);
      assertBetween(own / 2, own + 250, Retry.waitBefore(attempt, failed(Code.UNAVAILABLE)));
      assertBetween(7_000, 7_250, Retry.waitBefore(attempt, failed(Code.ABORTED, INFO, RETRY)));
      Status away = failed(Code.UNAVAILABLE, RETRY);
      assertBetween(7_000, 30_250, Retry.waitBefore(attempt, away));
    }
  }

  private static void assertBetween(long least, long most, java.time.Duration wait) {
    assertTrue(least <= wait.toMillis() && wait.toMillis() <= most, wait.toString());
  }
}
