package example.rosterimport;

import com.google.rpc.Status;
import com.userimport.v1.DeactivatedUser;
import com.userimport.v1.Issue;
import com.userimport.v1.RowResult;
import java.time.Duration;
import java.util.Locale;

/** Prints an import as it goes: rows on standard output, notes on standard error. */
record Printer(int retries) implements Handlers {
  @Override
  public void onRow(RowResult row) {
    String outcome = name(row.getOutcome(), "ROW_OUTCOME_");
    System.out.println(
        "row " + row.getRow() + ": " + outcome + " " + printable(row.getExternalId()));
    for (Issue issue : row.getIssuesList()) {
      String severity = name(issue.getSeverity(), "ISSUE_SEVERITY_");
      System.out.println("  " + severity + ": " + printable(issue.getMessage()));
    }
  }

  @Override
  public void onDeactivated(DeactivatedUser user) {
    System.out.println("deactivated: " + printable(user.getExternalId()));
  }

  @Override
  public void onResumed() {
    note("The server goes on with this import.");
  }

  @Override
  public void onRetry(Ended ended, Duration wait, int attempt) {
    String why = ended.status() == null ? "The stream broke off." : reason(ended.status());
    note(
        String.format(
            Locale.ROOT,
            "%s Retrying in %.1f s with the same import ID (%d of %d).",
            why,
            wait.toMillis() / 1000.0,
            attempt,
            retries));
  }

  /** The first line: what follows it for a proxy's page is the page. */
  static String reason(Status status) {
    return status.getMessage().lines().findFirst().orElse("");
  }

  static String name(Enum<?> value, String prefix) {
    return value.name().substring(prefix.length()).toLowerCase(Locale.ROOT);
  }

  static void note(String text) {
    System.err.println(printable(text));
  }

  /** A quoted value may hold characters that would command the terminal. */
  static String printable(String text) {
    return text.replaceAll("\\p{C}", "\uFFFD");
  }
}
