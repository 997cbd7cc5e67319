package example.rosterimport;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The program under test, as it runs. */
final class Program {
  private static final Pattern ROW = Pattern.compile("^row (\\d+): (\\w+)", Pattern.MULTILINE);

  private final Path log;
  private final Process process;
  private final BufferedReader lines;
  private final List<String> out = new ArrayList<>();

  /** What it printed, and its exit code. */
  record Run(int code, String out, String errors) {
    /** The outcome of each row, by its number; a row told twice fails. */
    TreeMap<Integer, String> outcomes() {
      Matcher row = ROW.matcher(out);
      return row.results()
          .collect(
              Collectors.toMap(
                  found -> Integer.valueOf(found.group(1)),
                  found -> found.group(2),
                  (one, other) -> {
                    throw new AssertionError("a row was told twice");
                  },
                  TreeMap::new));
    }
  }

  Program(Server server, String... arguments) throws IOException {
    log = Files.createTempFile("roster-import", ".log");
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String classes = System.getProperty("java.class.path");
    // A short life is not worth the optimising compiler.
    List<String> command = new ArrayList<>(List.of(java, "-XX:TieredStopAtLevel=1", "-cp", classes, Main.class.getName()));
    command.addAll(List.of("--endpoint", server.address(), "--organization", Server.ORGANIZATION));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(log.toFile());
    builder.environment().put("USER_IMPORT_TOKEN", server.token());
    process = builder.start();
    lines = process.inputReader();
  }

  static Run run(Server server, String... arguments) throws IOException, InterruptedException {
    return new Program(server, arguments).end();
  }

  /** Waits for the first line. */
  void awaitFirstResult() throws IOException {
    out.add(lines.readLine());
  }

  /** Waits for its end. */
  Run end() throws IOException, InterruptedException {
    lines.lines().forEach(out::add);
    int code = process.waitFor();
    String errors = Files.readString(log);
    Files.delete(log);
    return new Run(code, String.join("\n", out), errors);
  }
}
