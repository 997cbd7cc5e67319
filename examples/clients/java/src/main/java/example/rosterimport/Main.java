package example.rosterimport;

import com.google.rpc.Status;
import com.userimport.v1.ImportStart;
import com.userimport.v1.ImportSummary;
import com.userimport.v1.Issue;
import com.userimport.v1.Refusal;
import com.userimport.v1.UserRow;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The program: {@code --organization my-department csv roster.csv}. */
public final class Main {
  // As they may come from another system. Phone is "": cleared. Rank is not set: left as it is.
  private static final List<UserRow> ROWS =
      List.of(
          UserRow.newBuilder()
              .setExternalId("HR-1")
              .setEmail("nadia.keller@riverton.example")
              .setBadgeNumber("0701")
              .setFirstName("Nadia")
              .setLastName("Keller")
              .setStatus("Active")
              .setUsername("nkeller")
              .setRole("Supervisor")
              .setRank("Sergeant")
              .setPhone("+12025550171")
              .build(),
          UserRow.newBuilder()
              .setExternalId("HR-2")
              .setEmail("owen.price@riverton.example")
              .setBadgeNumber("0702")
              .setFirstName("Owen")
              .setLastName("Price")
              .setStatus("Active")
              .setUsername("oprice")
              .setRole("Officer")
              .setSupervisorEmail("nadia.keller@riverton.example")
              .setPhone("")
              .build());

  private Main() {}

  public static void main(String[] arguments) throws InterruptedException {
    System.exit(exitCode(arguments));
  }

  private static int exitCode(String[] arguments) throws InterruptedException {
    try {
      Ended ended = run(Options.parse(arguments, System.getenv()));
      printEnd(ended);
      return ended.exitCode();
    } catch (Options.WrongUseException e) {
      System.err.println("error: " + e.getMessage() + "\n" + Options.USAGE);
    } catch (IOException | IllegalArgumentException | Roster.UnreadableException e) {
      System.err.println("error: " + e.getMessage());
    }
    return 2;
  }

  private static Ended run(Options options)
      throws IOException, Roster.UnreadableException, InterruptedException {
    ImportStart start =
        ImportStart.newBuilder()
            .setOrganization(options.organization())
            .setImportId(options.importId())
            .setValidateOnly(options.validateOnly())
            .build();
    Roster roster =
        options.csv() == null ? new TypedRows(ROWS) : new CsvFile(Path.of(options.csv()));
    try (Connection connection =
        Connection.open(options.endpoint(), options.ca(), options.token())) {
      Importer importer = new Importer(connection, options.deadline(), options.retries());
      Printer printer = new Printer(options.retries());
      return options.push()
          ? importer.push(start, ROWS, printer)
          : importer.run(start, roster, printer);
    }
  }

  private static void printEnd(Ended ended) {
    ImportSummary summary = ended.summary();
    if (summary != null) {
      printSummary(summary);
    }
    // The summary has every reason; the status only as many as fit.
    Status status = ended.status();
    if (status != null && (summary == null || summary.getRefusalsCount() == 0)) {
      Printer.note("error: " + Printer.reason(status));
    }
    if (ended.exitCode() == 5) {
      Printer.note("To go on, repeat this with --import-id " + ended.importId());
    }
  }

  private static void printSummary(ImportSummary summary) {
    System.out.printf(
        "%s: %d rows, %d created, %d updated, %d unchanged, %d rejected, %d deactivated%n",
        Printer.name(summary.getState(), "IMPORT_STATE_"),
        summary.getRows(),
        summary.getCreated(),
        summary.getUpdated(),
        summary.getUnchanged(),
        summary.getRejected(),
        summary.getDeactivated());
    for (Issue warning : summary.getWarningsList()) {
      System.out.println("  warning: " + Printer.printable(warning.getMessage()));
    }
    for (Refusal refusal : summary.getRefusalsList()) {
      Printer.note("refused: " + refusal.getMessage());
    }
  }
}
