"""One import, from its first attempt to its end."""

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import grpc

from userimport.v1.import_service_pb2 import ImportStart, ImportSummary, ImportUsersRequest
from userimport.v1.import_service_pb2_grpc import ImportServiceStub
from userimport.v1.types_pb2 import DeactivatedUser, ImportState, RowResult

from .retry import has_details, is_transient, wait_before
from .roster import Roster, RosterUnreadable

# The server gave no result of the import: it may have stopped anywhere.
_UNSURE = {
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DATA_LOSS,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.UNKNOWN,
}


@dataclass
class Ended:
    """How an import ended."""

    import_id: str
    summary: ImportSummary | None = None
    """The last message; None where the stream broke off before it."""
    error: grpc.RpcError | None = None
    """The status, unless it was OK."""

    @property
    def is_transient(self) -> bool:
        return self.summary is None if self.error is None else is_transient(self.error)

    @property
    def exit_code(self) -> int:
        """As the `user-import` command has it: 0 all rows stand, 3 some rows rejected, 4 refused
        (nothing written), 5 interrupted or unreachable, 6 cancelled."""
        state = self.summary.state if self.summary else None
        if self.is_transient or state == ImportState.IMPORT_STATE_INTERRUPTED:
            return 5
        if state == ImportState.IMPORT_STATE_REFUSED:
            return 4
        if state == ImportState.IMPORT_STATE_CANCELLED:
            return 6
        if self.error is None:
            return 3 if self.summary.rejected else 0
        if self.error.code() == grpc.StatusCode.CANCELLED and has_details(self.error):
            return 6
        return 5 if self.error.code() in _UNSURE else 4


def import_roster(
    stub: ImportServiceStub,
    start: ImportStart,
    roster: Roster,
    *,
    metadata: list[tuple[str, str]] | None = None,
    **options,
) -> Ended:
    """Imports `roster`, and calls `on_row` for each row exactly once, as soon as it is decided.

    `options` are those of `attempts`; `deadline` is in seconds and bounds all attempts together. A
    refusal is an end like any other; raises RosterUnreadable where the roster cannot be read, and
    nothing is written then.
    """
    # The ID must not change between attempts: by it the server knows the import again.
    start.import_id = start.import_id or str(uuid.uuid4())

    def attempt(seconds: float, heard: Heard) -> Ended:
        return _attempt(stub, start, roster, metadata, seconds, heard)

    return attempts(attempt, start, **options)


def attempts(
    attempt: Callable[[float, "Heard"], Ended],
    start: ImportStart,
    *,
    deadline: float = 3600,
    retries: int = 8,
    on_row: Callable[[RowResult], None] = lambda row: None,
    on_deactivated: Callable[[DeactivatedUser], None] = lambda user: None,
    on_retry: Callable[[Ended, float, int], None] = lambda ended, wait, attempt: None,
    on_resumed: Callable[[], None] = lambda: None,
) -> Ended:
    """Attempts an import until it has ended, or it makes no sense any more."""
    heard = Heard(on_row, on_deactivated, on_resumed)
    must_end = time.monotonic() + deadline
    for number in count(1):
        ended = attempt(must_end - time.monotonic(), heard)
        wait = wait_before(number, ended.error)
        # A dry run leaves no record to go on from, and a second one may judge rows otherwise.
        told_for_good = start.validate_only and heard.rows
        in_time = time.monotonic() + wait < must_end
        if number > retries or not ended.is_transient or told_for_good or not in_time:
            return ended
        on_retry(ended, wait, number)
        time.sleep(wait)


class Heard:
    """What was reported already. A retry hears it again, and tells it by its row number."""

    def __init__(self, on_row, on_deactivated, on_resumed):
        self.rows: set[int] = set()
        self._users: set[str] = set()
        self._on_row, self._on_deactivated = on_row, on_deactivated
        self._on_resumed = on_resumed

    def hear(self, answer, ended: Ended) -> None:
        if answer.HasField("started") and answer.started.resumed:
            self._on_resumed()
        self.hear_rows(answer.results.results)
        self.hear_users(answer.deactivations.users)
        if answer.HasField("summary"):
            ended.summary = answer.summary

    def hear_rows(self, rows) -> None:
        for row in rows:
            if row.row not in self.rows:
                self.rows.add(row.row)
                self._on_row(row)

    def hear_users(self, users) -> None:
        for user in users:
            if user.user_id not in self._users:
                self._users.add(user.user_id)
                self._on_deactivated(user)


def _attempt(stub, start, roster, metadata, seconds: float, heard: Heard) -> Ended:
    ended = Ended(start.import_id)
    upload = _Upload(start, roster)
    # gRPC pulls the requests from a thread of its own, no faster than the server takes them. So
    # answers are read while the roster is still on its way, and neither side waits for the other.
    call = stub.ImportUsers(iter(upload), timeout=seconds, metadata=metadata)
    try:
        for answer in call:
            heard.hear(answer, ended)
    except grpc.RpcError as error:
        ended.error = error
    finally:
        call.cancel()  # Does nothing to a call that has ended.
    if upload.failure:
        raise RosterUnreadable(str(upload.failure)) from upload.failure
    return ended


class _Upload:
    """The request stream of one attempt."""

    def __init__(self, start: ImportStart, roster: Roster):
        self._start, self._roster = start, roster
        self.failure: OSError | None = None

    def __iter__(self) -> Iterator[ImportUsersRequest]:
        yield ImportUsersRequest(start=self._start)
        try:
            yield from self._roster.messages()
        except OSError as failure:
            # The stream ends without `finish`: half a roster is never taken for a whole one.
            self.failure = failure
