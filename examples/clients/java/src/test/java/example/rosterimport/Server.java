package example.rosterimport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The real server, on a free port and a database of its own. */
final class Server implements AutoCloseable {
  static final Path REPOSITORY = Path.of("../../..").toAbsolutePath().normalize();
  static final String ORGANIZATION = "riverton-pd";

  /**
   * Each row in a transaction of its own, so that there is time to interfere; the import of a
   * server that died can be taken over after a second; and the server leaves it to the clients to
   * wait for their turn.
   */
  static final String[] SLOW = {
    "--transaction-rows", "1", "--lease-seconds", "1", "--import-turn-seconds", "0"
  };

  private static final String PERMISSIONS =
      "users.import,users.deactivate,users.read,users.grant-privileged,catalog.write,"
          + "organizations.write";

  private static final String PROGRAM =
      System.getenv()
          .getOrDefault("USER_IMPORT_BIN", REPOSITORY.resolve("target/debug/user-import").toString());

  private final Path directory;
  private final String[] options;
  private String address = "127.0.0.1:0";
  private Process process;
  private final String token;

  Server(Path directory, String... options) throws IOException, InterruptedException {
    this.directory = directory;
    this.options = options;
    start();
    token = createToken();
    command("org", "create", ORGANIZATION);
    String catalog = REPOSITORY.resolve("examples/catalog.json").toString();
    command("catalog", "apply", catalog, "--organization", ORGANIZATION);
  }

  String address() {
    return address;
  }

  /** Who calls, for clients: unlike the server's local token, it is valid after a restart too. */
  String token() {
    return token;
  }

  private String database() {
    return "sqlite://" + directory.resolve("users.db");
  }

  private String createToken() throws IOException, InterruptedException {
    Process create =
        new ProcessBuilder(
                PROGRAM, "token", "create", "tests", "--every-organization", "--permission",
                PERMISSIONS, "--database-url", database())
            .start();
    String made = new String(create.getInputStream().readAllBytes());
    assertEquals(0, create.waitFor());
    return made.strip();
  }

  /** On the same database and, the second time, the same port. */
  void start() throws IOException {
    List<String> serve =
        new ArrayList<>(
            List.of(PROGRAM, "serve", "--listen", address, "--database-url", database()));
    serve.addAll(List.of(options));
    process =
        new ProcessBuilder(serve)
            .redirectError(
                ProcessBuilder.Redirect.appendTo(directory.resolve("server.log").toFile()))
            .start();
    String line = process.inputReader().readLine();
    address = line.substring(line.lastIndexOf(' ') + 1);
  }

  /** SIGKILL: it has no chance to tidy up. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() throws InterruptedException {
    kill();
  }

  /** Runs one of the `user-import` commands against it, and returns what that prints. */
  String command(String... arguments) throws IOException, InterruptedException {
    Process command = begin(arguments);
    String out = new String(command.getInputStream().readAllBytes());
    assertEquals(0, command.waitFor(), () -> String.join(" ", arguments));
    return out;
  }

  /** The number of its users. */
  long users() throws IOException, InterruptedException {
    return command("export", "--organization", ORGANIZATION).lines().count() - 1;
  }

  /** Begins another import with the command line, and returns once it writes. */
  Process beginImport(Path file) throws IOException {
    Process other =
        begin("import", file.toString(), "--organization", ORGANIZATION, "--format", "json");
    BufferedReader lines = other.inputReader();
    while (!lines.readLine().contains("\"results\"")) {}
    Thread rest = new Thread(() -> lines.lines().forEach(line -> {}));
    rest.setDaemon(true);
    rest.start();
    return other;
  }

  private Process begin(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(PROGRAM));
    command.addAll(List.of(arguments));
    command.addAll(List.of("--endpoint", "http://" + address));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("USER_IMPORT_TOKEN", token);
    return builder.start();
  }
}
