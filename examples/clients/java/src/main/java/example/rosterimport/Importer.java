package example.rosterimport;

import com.userimport.v1.ImportStart;
import java.time.Duration;
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
    Heard heard = new Heard(handlers);
    long mustEnd = System.nanoTime() + deadline.toNanos();
    for (int attempt = 1; ; attempt++) {
      Attempt call = new Attempt(start, roster);
      long left = mustEnd - System.nanoTime();
      connection.stub().withDeadlineAfter(left, TimeUnit.NANOSECONDS).importUsers(call);
      Ended ended = call.read(heard);
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
