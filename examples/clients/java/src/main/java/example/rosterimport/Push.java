package example.rosterimport;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.Status;
import com.userimport.v1.ImportSummary;
import com.userimport.v1.PushUsersRequest;
import com.userimport.v1.PushUsersResponse;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.concurrent.TimeUnit;

/** One call of PushUsers. */
final class Push {
  private Push() {}

  /** Sends the push; the call has so many nanoseconds. */
  static Ended send(Connection connection, PushUsersRequest push, long left, Heard heard) {
    String importId = push.getStart().getImportId();
    try {
      PushUsersResponse answer =
          connection.blockingStub().withDeadlineAfter(left, TimeUnit.NANOSECONDS).pushUsers(push);
      heard.hearRows(answer.getResultsList());
      heard.hearUsers(answer.getDeactivations().getUsersList());
      return new Ended(importId, answer.getSummary(), null);
    } catch (StatusRuntimeException e) {
      Status status = StatusProto.fromThrowable(e);
      return new Ended(importId, summary(status), status);
    }
  }

  /** The summary that a refused push has in the details of its status; null: it has none. */
  private static ImportSummary summary(Status status) {
    for (Any detail : status.getDetailsList()) {
      if (detail.is(ImportSummary.class)) {
        try {
          return detail.unpack(ImportSummary.class);
        } catch (InvalidProtocolBufferException e) {
          return null;
        }
      }
    }
    return null;
  }
}
