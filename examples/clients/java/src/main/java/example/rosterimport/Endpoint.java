package example.rosterimport;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The address of a server.
 *
 * @param host HOST:PORT
 */
record Endpoint(String host, boolean isTls) {
  private static final Pattern SHAPE = Pattern.compile("(?:(https?)://)?([^/?#@]+)");
  private static final Pattern THIS_MACHINE =
      Pattern.compile("(?:localhost|127(?:\\.\\d+){3}|\\[::1\\])(?::\\d+)?");

  /**
   * Reads https://HOST:PORT, or http://HOST:PORT without TLS. HOST:PORT alone has TLS, unless it is this machine and
   * there are no authorities.
   */
  static Endpoint parse(String text, boolean hasAuthorities) {
    Matcher shape = SHAPE.matcher(text);
    if (!shape.matches()) {
      throw new IllegalArgumentException(
          text + ": write it as https://HOST:PORT, or http://HOST:PORT without TLS");
    }
    String scheme = shape.group(1);
    String host = shape.group(2);
    if (hasAuthorities && "http".equals(scheme)) {
      throw new IllegalArgumentException(
          text + " has no TLS, so there are no authorities to trust");
    }
    boolean isTls =
        scheme == null
            ? hasAuthorities || !THIS_MACHINE.matcher(host).matches()
            : scheme.equals("https");
    return new Endpoint(host, isTls);
  }
}
