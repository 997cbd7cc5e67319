package example.rosterimport;

import com.google.rpc.Status;
import com.userimport.v1.ImportState;
import com.userimport.v1.ImportSummary;

/**
 * How an import ended.
 *
 * @param summary the last message; null where the stream broke off before it
 * @param status null where it was OK
 */
public record Ended(String importId, ImportSummary summary, Status status) {
  /** True if the same import, sent again, may end better. */
  public boolean isTransient() {
    return status == null ? summary == null : Retry.isTransient(status);
  }

  /**
   * As the {@code user-import} command has it: 0 all rows stand, 3 some rows rejected, 4 refused
   * (nothing written), 5 interrupted or unreachable, 6 cancelled.
   */
  public int exitCode() {
    ImportState state =
        summary == null ? ImportState.IMPORT_STATE_UNSPECIFIED : summary.getState();
    if (isTransient()) {
      return 5;
    }
    return switch (state) {
      case IMPORT_STATE_INTERRUPTED -> 5;
      case IMPORT_STATE_REFUSED -> 4;
      case IMPORT_STATE_CANCELLED -> 6;
      default -> status == null ? (summary.getRejected() > 0 ? 3 : 0) : exitCodeOf(status);
    };
  }

  private static int exitCodeOf(Status status) {
    return switch (Retry.code(status)) {
      case CANCELLED -> 6; // With details, or it would be transient.
      case DATA_LOSS, DEADLINE_EXCEEDED, INTERNAL, UNKNOWN -> 5;
      default -> 4;
    };
  }
}
