package example.rosterimport;

import com.userimport.v1.ImportStart;
import com.userimport.v1.PushUsersRequest;
import com.userimport.v1.UserRow;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * Imports rosters, and sends them again where the server or the connection failed.
 *
 * @param deadline for all attempts together
 * @param retries how often to try again
 */
public record Importer(Connection connection, Duration deadline, int retries) {
  /**
   * Imports {@code roster}. A refusal is an end like any other.
   *
   * @throws Roster.UnreadableException where the roster cannot be read; nothing is written then
   */
  public Ended run(ImportStart options, Roster roster, Handlers handlers)
      throws Roster.UnreadableException, InterruptedException {
    ImportStart start = named(options);
    return attempts(
        start,
        handlers,
        (left, heard) -> {
          Attempt call = new Attempt(start, roster);
          connection.stub().withDeadlineAfter(left, TimeUnit.NANOSECONDS).importUsers(call);
          return call.read(heard);
        });
  }

  /**
   * Pushes at most 1,000 rows as one call, for services that send users as they change. A refusal is an end like
   * any other.
   */
  public Ended push(ImportStart options, List<UserRow> rows, Handlers handlers)
      throws InterruptedException {
    ImportStart start = named(options);
    PushUsersRequest push = PushUsersRequest.newBuilder().setStart(start).addAllRows(rows).build();
    try {
      return attempts(start, handlers, (left, heard) -> Push.send(connection, push, left, heard));
    } catch (Roster.UnreadableException e) {
      throw new AssertionError("rows in memory can always be read", e);
    }
  }

  /** One call, which has so many nanoseconds. */
  private interface Attempted {
    Ended run(long left, Heard heard) throws Roster.UnreadableException, InterruptedException;
  }

  /** Makes attempts until the import has ended, or another makes no sense. */
  private Ended attempts(ImportStart start, Handlers handlers, Attempted attempted)
      throws Roster.UnreadableException, InterruptedException {
    Heard heard = new Heard(handlers);
    long mustEnd = System.nanoTime() + deadline.toNanos();
    for (int attempt = 1; ; attempt++) {
      Ended ended = attempted.run(mustEnd - System.nanoTime(), heard);
      Duration wait = Retry.waitBefore(attempt, ended.status());
      // A dry run leaves no record to go on from, and a second one may judge rows otherwise.
      boolean toldForGood = start.getValidateOnly() && heard.anyRow();
      boolean inTime = System.nanoTime() + wait.toNanos() < mustEnd;
      if (attempt > retries || !ended.isTransient() || toldForGood || !inTime) {
        return ended;
      }
      handlers.onRetry(ended, wait, attempt);
      Thread.sleep(wait.toMillis());
    }
  }

  /** The ID must not change between attempts: by it the server knows the import again. */
  private static ImportStart named(ImportStart options) {
    if (!options.getImportId().isEmpty()) {
      return options;
    }
    return options.toBuilder().setImportId(UUID.randomUUID().toString()).build();
  }
}
