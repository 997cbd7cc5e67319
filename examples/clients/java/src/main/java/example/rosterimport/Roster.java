package example.rosterimport;

import com.userimport.v1.ImportUsersRequest;
import java.io.Closeable;
import java.io.IOException;

/** A roster as request messages. It can be opened any number of times: each attempt sends all of it. */
public interface Roster {
  /** Begins with the message after {@code start}. */
  Messages open() throws IOException;

  /** The messages that follow {@code start}, {@code finish} included. */
  interface Messages extends Closeable {
    /** The next one; null after {@code finish}. */
    ImportUsersRequest next() throws IOException;
  }

  /** The roster could not be read to its end. The server has refused what it got of it. */
  final class UnreadableException extends Exception {
    private static final long serialVersionUID = 1;

    UnreadableException(IOException cause) {
      super("The roster cannot be read: " + cause, cause);
    }
  }
}
