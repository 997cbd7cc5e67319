package example.rosterimport;

import com.userimport.v1.ImportFinish;
import com.userimport.v1.ImportUsersRequest;
import com.userimport.v1.UserRow;
import com.userimport.v1.UserRows;
import java.util.List;

/** Rows from memory. An optional attribute not set stays as it is; one set to "" is cleared. */
public record TypedRows(List<UserRow> rows) implements Roster {
  private static final int ROWS_A_MESSAGE = 500;

  @Override
  public Messages open() {
    return new Groups();
  }

  private final class Groups implements Messages {
    private int sent;
    private boolean finished;

    @Override
    public ImportUsersRequest next() {
      if (finished) {
        return null;
      }
      ImportUsersRequest.Builder message = ImportUsersRequest.newBuilder();
      if (sent == rows.size()) {
        finished = true;
        return message.setFinish(ImportFinish.newBuilder().setRowCount(sent)).build();
      }
      List<UserRow> group = rows.subList(sent, Math.min(sent + ROWS_A_MESSAGE, rows.size()));
      sent += group.size();
      return message.setRows(UserRows.newBuilder().addAllRows(group)).build();
    }

    @Override
    public void close() {
      // Nothing is open.
    }
  }
}
