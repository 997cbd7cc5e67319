package example.rosterimport;

import com.google.rpc.Status;
import com.userimport.v1.ImportStart;
import com.userimport.v1.ImportSummary;
import com.userimport.v1.ImportUsersRequest;
import com.userimport.v1.ImportUsersResponse;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * One call. The roster is sent from gRPC's threads, as fast as the server takes it, while the
 * caller's thread reads the answers: neither the server nor this client ever waits for the other.
 */
final class Attempt implements ClientResponseObserver<ImportUsersRequest, ImportUsersResponse> {
  private final ImportStart start;
  private final Roster roster;
  // Filled by gRPC, which is asked for one more answer only when one was taken.
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private ClientCallStreamObserver<ImportUsersRequest> requests;
  private Roster.Messages messages;
  private boolean sentAll;
  private volatile IOException unreadable;

  /** An answer, or the end: with a status, or OK where both are empty. */
  private record Event(Optional<ImportUsersResponse> answer, Optional<Status> status) {}

  Attempt(ImportStart start, Roster roster) {
    this.start = start;
    this.roster = roster;
  }

  /** Reads the answers to their end. */
  Ended read(Heard heard) throws Roster.UnreadableException, InterruptedException {
    ImportSummary summary = null;
    try {
      Event event = events.take();
      while (event.answer().isPresent()) {
        ImportUsersResponse answer = event.answer().get();
        heard.hear(answer);
        summary = answer.hasSummary() ? answer.getSummary() : summary;
        requests.request(1);
        event = events.take();
      }
      if (unreadable != null) {
        throw new Roster.UnreadableException(unreadable);
      }
      return new Ended(start.getImportId(), summary, event.status().orElse(null));
    } finally {
      requests.cancel("no longer listening", null); // Does nothing to a call that has ended.
    }
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<ImportUsersRequest> requests) {
    this.requests = requests;
    requests.disableAutoRequestWithInitial(1);
    requests.setOnReadyHandler(this::send);
  }

  /** Sends until enough is under way; gRPC calls it again when there is room. */
  private void send() {
    try {
      while (requests.isReady() && !sentAll) {
        sendNext();
      }
    } catch (IOException e) {
      // The stream ends without `finish`: half a roster is never taken for a whole one.
      unreadable = e;
      endRequests();
    }
  }

  private void sendNext() throws IOException {
    if (messages == null) {
      messages = roster.open();
      requests.onNext(ImportUsersRequest.newBuilder().setStart(start).build());
      return;
    }
    ImportUsersRequest message = messages.next();
    if (message == null) {
      endRequests();
    } else {
      requests.onNext(message);
    }
  }

  private void endRequests() {
    sentAll = true;
    requests.onCompleted();
  }

  @Override
  public void onNext(ImportUsersResponse answer) {
    events.add(new Event(Optional.of(answer), Optional.empty()));
  }

  @Override
  public void onError(Throwable error) {
    end(Optional.of(StatusProto.fromThrowable(error)));
  }

  @Override
  public void onCompleted() {
    end(Optional.empty());
  }

  private void end(Optional<Status> status) {
    sentAll = true;
    try {
      if (messages != null) {
        messages.close();
      }
    } catch (IOException e) {
      // All that was wanted of the file has been read.
    }
    events.add(new Event(Optional.empty(), status));
  }
}
