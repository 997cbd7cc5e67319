package example.rosterimport;

import com.userimport.v1.DeactivatedUser;
import com.userimport.v1.RowResult;
import java.time.Duration;

/** Called while an import goes on, on the thread that runs the import. */
public interface Handlers {
  /** Called for each row exactly once, as soon as it is decided. */
  void onRow(RowResult row);

  default void onDeactivated(DeactivatedUser user) {}

  /** The server goes on with an import that an earlier attempt had begun. */
  default void onResumed() {}

  /** Before retry number {@code attempt}. */
  default void onRetry(Ended ended, Duration wait, int attempt) {}
}
