package example.rosterimport;

import com.userimport.v1.DeactivatedUser;
import com.userimport.v1.ImportUsersResponse;
import com.userimport.v1.RowResult;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What was reported already. A retry hears it again, and tells it by its row number. */
final class Heard {
  private final Handlers handlers;
  private final Set<Integer> rows = new HashSet<>();
  private final Set<String> users = new HashSet<>();

  Heard(Handlers handlers) {
    this.handlers = handlers;
  }

  boolean anyRow() {
    return !rows.isEmpty();
  }

  void hear(ImportUsersResponse answer) {
    if (answer.getStarted().getResumed()) {
      handlers.onResumed();
    }
    hearRows(answer.getResults().getResultsList());
    hearUsers(answer.getDeactivations().getUsersList());
  }

  void hearRows(List<RowResult> results) {
    for (RowResult row : results) {
      if (rows.add(row.getRow())) {
        handlers.onRow(row);
      }
    }
  }

  void hearUsers(List<DeactivatedUser> deactivated) {
    for (DeactivatedUser user : deactivated) {
      if (users.add(user.getUserId())) {
        handlers.onDeactivated(user);
      }
    }
  }
}
