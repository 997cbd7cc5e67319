package example.rosterimport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import example.rosterimport.Program.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program against the real server. */
class ImportTest {
  private static final String HEADER =
      "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE";
  private static final int MANY = 1_000;
  private static final String IMPORT_ID = "0190e7f2-0000-7000-8000-000000000001";

  @TempDir Path directory;

  private static String example(String name) {
    return Server.REPOSITORY.resolve("examples").resolve(name).toString();
  }

  private String officers(String name, int rows, String header) throws IOException {
    String row = "E%1$d,o%1$d@riverton.example,B%1$d,An,Officer,Active,o%1$d,Officer\n";
    String body =
        IntStream.range(0, rows).mapToObj(row::formatted).collect(Collectors.joining());
    return Files.writeString(directory.resolve(name), header + "\n" + body).toString();
  }

  private static Map<Integer, String> all(int rows, String outcome) {
    return IntStream.rangeClosed(1, rows)
        .boxed()
        .collect(Collectors.toMap(row -> row, row -> outcome));
  }

  private static void assertHas(String text, String part) {
    assertTrue(text.contains(part), text);
  }

  @Test
  void allRowsOfAGoodFileStand() throws Exception {
    try (Server server = new Server(directory)) {
      Run run = Program.run(server, "csv", example("roster-before.csv"));
      assertEquals(0, run.code(), run.errors());
      assertEquals(all(12, "created"), run.outcomes());
      assertHas(run.out(), "\ncompleted: 12 rows, 12 created,");
      assertEquals(12, server.users());
    }
  }

  @Test
  void rejectedRowsOfAFaultyFileAreListedWithTheirIssues() throws Exception {
    try (Server server = new Server(directory)) {
      Run run = Program.run(server, "csv", example("roster.csv"));
      assertEquals(3, run.code(), run.errors());
      Map<Integer, String> outcomes = run.outcomes();
      List<Integer> rejected =
          outcomes.keySet().stream().filter(row -> outcomes.get(row).equals("rejected")).toList();
      assertEquals(List.of(16, 17, 19, 20), rejected);
      assertHas(run.out(), "row 16: rejected P-1016\n  error: ROLE \"Oficer\" is not a role");
      assertHas(run.out(), "completed: 20 rows, 16 created, 0 updated, 0 unchanged, 4 rejected");
    }
  }

  @Test
  void aDryRunWritesNothing() throws Exception {
    try (Server server = new Server(directory)) {
      Run run = Program.run(server, "--validate-only", "csv", example("roster-before.csv"));
      assertEquals(0, run.code(), run.errors());
      assertEquals(all(12, "created"), run.outcomes());
      assertEquals(0, server.users());
    }
  }

  @Test
  void aRefusalIsHeardWhileTheRosterIsStillOnItsWay() throws Exception {
    try (Server server = new Server(directory)) {
      String file = officers("large.csv", 200_000, HEADER.replace("EMAIL", "EMIAL"));
      Run run = Program.run(server, "csv", file);
      assertEquals(4, run.code(), run.errors());
      assertEquals(Map.of(), run.outcomes());
      assertHas(run.errors(), "did you mean EMAIL?");
      assertEquals(0, server.users());
    }
  }

  @Test
  void typedRowsAreImportedFromMemory() throws Exception {
    try (Server server = new Server(directory)) {
      Run run = Program.run(server, "rows");
      assertEquals(0, run.code(), run.errors());
      assertEquals(all(2, "created"), run.outcomes());
      String users = server.command("export", "--organization", Server.ORGANIZATION);
      assertHas(users, "HR-2,owen.price@riverton.example,0702,Owen,Price,Active,oprice,Officer");
      Run again = Program.run(server, "rows");
      assertEquals(0, again.code(), again.errors());
      assertEquals(all(2, "unchanged"), again.outcomes());
    }
  }

  @Test
  void typedRowsArePushedAsOneCall() throws Exception {
    try (Server server = new Server(directory)) {
      Run run = Program.run(server, "push");
      assertEquals(0, run.code(), run.errors());
      assertEquals(all(2, "created"), run.outcomes());
      assertHas(run.out(), "\ncompleted: 2 rows, 2 created,");
      assertEquals(2, server.users());
    }
  }

  @Test
  void aPushAndAnImportOfTheSameRowsUnderOneIdAreOneImport() throws Exception {
    try (Server server = new Server(directory)) {
      Run first = Program.run(server, "--import-id", IMPORT_ID, "rows");
      assertEquals(0, first.code(), first.errors());
      Run run = Program.run(server, "--import-id", IMPORT_ID, "push");
      assertEquals(0, run.code(), run.errors());
      assertEquals(all(2, "created"), run.outcomes());
    }
  }

  @Test
  void aRefusedPushSaysWhy() throws Exception {
    try (Server server = new Server(directory)) {
      Run first =
          Program.run(server, "--import-id", IMPORT_ID, "csv", example("roster-before.csv"));
      assertEquals(0, first.code(), first.errors());
      Run run = Program.run(server, "--import-id", IMPORT_ID, "push");
      assertEquals(4, run.code(), run.errors());
      assertHas(run.out(), "refused: 0 rows");
      assertHas(run.errors(), "refused: Import ID");
    }
  }

  @Test
  void aPushWaitsForARunningImport() throws Exception {
    try (Server server = new Server(directory, Server.SLOW)) {
      Process first = server.beginImport(Path.of(officers("many.csv", MANY, HEADER)));
      Run run = Program.run(server, "--retries", "100", "push");
      assertEquals(0, first.waitFor());
      assertEquals(0, run.code(), run.errors());
      assertHas(run.errors(), "with the same import ID (1 of 100)");
      assertEquals(all(2, "created"), run.outcomes());
    }
  }

  @Test
  void aPushThatFindsNoServerSaysHowToGoOn() throws Exception {
    try (Server server = new Server(directory)) {
      server.kill();
      Run lost = Program.run(server, "--retries", "1", "push");
      assertEquals(5, lost.code(), lost.errors());
      assertHas(lost.errors(), "with the same import ID (1 of 1)");
      Matcher id = Pattern.compile("--import-id (\\S+)").matcher(lost.errors());
      assertTrue(id.find(), lost.errors());
      server.start();
      Run run = Program.run(server, "--import-id", id.group(1), "push");
      assertEquals(0, run.code(), run.errors());
      assertEquals(all(2, "created"), run.outcomes());
    }
  }

  @Test
  void anImportSurvivesTheDeathOfItsServer() throws Exception {
    try (Server server = new Server(directory, Server.SLOW)) {
      Program program = new Program(server, "csv", officers("many.csv", MANY, HEADER));
      program.awaitFirstResult();
      server.kill();
      server.start();
      Run run = program.end();
      assertEquals(0, run.code(), run.errors());
      assertEquals(all(MANY, "created"), run.outcomes());
      assertHas(run.errors(), "with the same import ID (1 of 8)");
      assertHas(run.errors(), "The server goes on with this import.");
      assertHas(run.out(), "completed: " + MANY + " rows, " + MANY + " created");
      assertEquals(MANY, server.users());
    }
  }

  @Test
  void aSecondImportWaitsForTheFirst() throws Exception {
    try (Server server = new Server(directory, Server.SLOW)) {
      Process first = server.beginImport(Path.of(officers("many.csv", MANY, HEADER)));
      String two = officers("two.csv", 2, HEADER);
      Run second = Program.run(server, "--retries", "100", "csv", two);
      assertEquals(0, first.waitFor());
      assertEquals(0, second.code(), second.errors());
      assertHas(second.errors(), "with the same import ID (1 of 100)");
      assertEquals(all(2, "unchanged"), second.outcomes());
    }
  }

  @Test
  void anInterruptedImportSaysHowToGoOn() throws Exception {
    try (Server server = new Server(directory, Server.SLOW)) {
      String file = officers("many.csv", MANY, HEADER);
      Program program = new Program(server, "--retries", "0", "csv", file);
      program.awaitFirstResult();
      server.kill();
      Run interrupted = program.end();
      assertEquals(5, interrupted.code(), interrupted.errors());
      Matcher id = Pattern.compile("--import-id (\\S+)").matcher(interrupted.errors());
      assertTrue(id.find(), interrupted.errors());
      server.start();
      Run run = Program.run(server, "--import-id", id.group(1), "csv", file);
      assertEquals(0, run.code(), run.errors());
      assertEquals(all(MANY, "created"), run.outcomes());
    }
  }

  @Test
  void aCancelledImportHasAnExitCodeOfItsOwn() throws Exception {
    try (Server server = new Server(directory, Server.SLOW)) {
      String file = officers("many.csv", MANY, HEADER);
      Program program = new Program(server, "--import-id", IMPORT_ID, "csv", file);
      program.awaitFirstResult();
      server.command("cancel", IMPORT_ID, "--organization", Server.ORGANIZATION);
      Run run = program.end();
      assertEquals(6, run.code(), run.errors());
      assertHas(run.out(), "\ncancelled: ");
    }
  }

  @Test
  void aDeadlineBoundsAllAttempts() throws Exception {
    try (Server server = new Server(directory, Server.SLOW)) {
      String file = officers("many.csv", MANY, HEADER);
      Run run = Program.run(server, "--deadline", "0.5", "csv", file);
      assertEquals(5, run.code(), run.errors());
      assertHas(run.errors(), "deadline");
    }
  }

  @Test
  void aFileThatCannotBeReadIsWrongUse() throws Exception {
    try (Server server = new Server(directory)) {
      Run run = Program.run(server, "csv", "missing.csv");
      assertEquals(2, run.code());
      assertHas(run.errors(), "missing.csv");
    }
  }

  @Test
  void aFileWithoutCertificatesAndAnImpossibleTokenAreWrongUse() throws Exception {
    try (Server server = new Server(directory)) {
      Run run = Program.run(server, "--ca", example("catalog.json"), "rows");
      assertEquals(2, run.code());
      assertHas(run.errors(), "no certificate");
      run = Program.run(server, "--token", "line\nbreak", "rows");
      assertEquals(2, run.code());
      assertHas(run.errors(), "ASCII");
    }
  }
}
