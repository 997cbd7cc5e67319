package example.rosterimport;

import java.io.File;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the command line asks for; {@code csv} is null for typed rows, which are pushed or imported. */
record Options(
    String organization,
    String endpoint,
    String token,
    File ca,
    String importId,
    boolean validateOnly,
    Duration deadline,
    int retries,
    String csv,
    boolean push) {
  static final String USAGE =
      """
      usage: [options] csv FILE | rows | push
        --organization SLUG  default: $USER_IMPORT_ORGANIZATION
        --endpoint URL       https://HOST:PORT, or http://HOST:PORT without TLS;
                             default: $USER_IMPORT_ENDPOINT, else http://127.0.0.1:50051
        --token TOKEN        bearer token; default: $USER_IMPORT_TOKEN
        --ca FILE            PEM file of the authorities to trust, not the system's
        --import-id UUID     to go on with an interrupted import
        --validate-only      report what would happen, write nothing
        --deadline SECONDS   for all attempts together; default: 3600
        --retries N          how often to try again; default: 8""";

  private static final List<String> PUSH = List.of("push");

  private static final Set<String> VALUED =
      Set.of(
          "--organization",
          "--endpoint",
          "--token",
          "--ca",
          "--import-id",
          "--deadline",
          "--retries");

  static final class WrongUseException extends Exception {
    private static final long serialVersionUID = 1;

    WrongUseException(String message) {
      super(message);
    }
  }

  static Options parse(String[] arguments, Map<String, String> environment)
      throws WrongUseException {
    Map<String, String> given = new HashMap<>();
    List<String> what = new ArrayList<>();
    for (int at = 0; at < arguments.length; at++) {
      String argument = arguments[at];
      if (VALUED.contains(argument) && at + 1 < arguments.length) {
        given.put(argument, arguments[++at]);
      } else if (argument.equals("--validate-only")) {
        given.put(argument, "");
      } else if (argument.startsWith("-")) {
        throw new WrongUseException(argument + " is no option, or lacks its value");
      } else {
        what.add(argument);
      }
    }
    String organization = environment.get("USER_IMPORT_ORGANIZATION");
    organization = given.getOrDefault("--organization", organization);
    if (organization == null) {
      throw new WrongUseException("--organization is missing");
    }
    String ca = given.get("--ca");
    return new Options(
        organization,
        given.getOrDefault(
            "--endpoint",
            environment.getOrDefault("USER_IMPORT_ENDPOINT", "http://127.0.0.1:50051")),
        given.getOrDefault("--token", environment.get("USER_IMPORT_TOKEN")),
        ca == null ? null : new File(ca),
        given.getOrDefault("--import-id", ""),
        given.containsKey("--validate-only"),
        Duration.ofMillis((long) (1000 * number(given, "--deadline", "3600"))),
        (int) number(given, "--retries", "8"),
        csv(what),
        what.equals(PUSH));
  }

  private static String csv(List<String> what) throws WrongUseException {
    if (what.equals(List.of("rows")) || what.equals(PUSH)) {
      return null;
    }
    if (what.size() == 2 && what.get(0).equals("csv")) {
      return what.get(1);
    }
    throw new WrongUseException("say what to import: csv FILE, rows, or push");
  }

  private static double number(Map<String, String> given, String name, String otherwise)
      throws WrongUseException {
    try {
      return Double.parseDouble(given.getOrDefault(name, otherwise));
    } catch (NumberFormatException e) {
      throw new WrongUseException(name + " needs a number");
    }
  }
}
