"""An import made of single calls: BeginImport, AppendImport, FinishImport, WatchImport.

Each call may be sent again. What is lost is no more than the answer to one of them: BeginImport
says how much of the roster the server has, and the upload goes on from there.
"""

import time
import uuid
from collections.abc import Callable

import grpc

from userimport.v1.import_service_pb2 import (
    AppendImportRequest,
    BeginImportRequest,
    FinishImportRequest,
    ImportFinish,
    ImportStart,
    UserRows,
    WatchImportRequest,
)

from .importer import Ended, Heard, attempts
from .retry import reason
from .roster import Roster, RosterUnreadable


def import_in_parts(stub, start: ImportStart, roster: Roster, **options) -> Ended:
    """Imports `roster` as `import_roster` does, with the same options but for `metadata`. `stub` is
    a `WebStub`, or gRPC's own."""
    start.import_id = start.import_id or str(uuid.uuid4())

    def attempt(seconds: float, heard: Heard) -> Ended:
        return _Attempt(stub, start, roster, seconds).run(heard)

    return attempts(attempt, start, **options)


class _Attempt:
    def __init__(self, stub, start: ImportStart, roster: Roster, seconds: float):
        self._stub, self._start, self._roster = stub, start, roster
        self._must_end = time.monotonic() + seconds
        self._which = {"organization": start.organization, "import_id": start.import_id}

    def run(self, heard: Heard) -> Ended:
        ended = Ended(self._start.import_id)
        try:
            begun = self._call(self._stub.BeginImport, BeginImportRequest(start=self._start))
            finish = self._append(begun.next_offset)
            self._call(self._stub.FinishImport, FinishImportRequest(finish=finish, **self._which))
        except grpc.RpcError as error:
            ended.error = error
            if not ended.is_transient:
                # The summary of a refused import has every reason; the status as many as fit.
                self._watch(heard, ended)
                ended.error = error
            return ended
        self._watch(heard, ended)
        return ended

    def _append(self, offset: int) -> ImportFinish:
        """Sends what the server does not have; returns what there is to state at the end."""
        while True:
            try:
                return self._append_from(offset)
            except grpc.RpcError as error:
                # Somebody else sends the same roster too: the server says how far it is.
                expected = reason(error, "OFFSET_DIFFERS").get("expected_offset")
                if expected is None:
                    raise
                offset = int(expected)

    def _append_from(self, offset: int) -> ImportFinish:
        try:
            position = 0
            for message in self._roster.messages():
                if message.HasField("finish"):
                    return message.finish
                content, position = _rest(message, position, offset)
                if content:
                    part = AppendImportRequest(offset=offset, **content, **self._which)
                    offset = self._call(self._stub.AppendImport, part).next_offset
        except OSError as failure:
            # The upload is never finished: half a roster is never taken for a whole one.
            raise RosterUnreadable(str(failure)) from failure
        raise RosterUnreadable("the roster has no end")

    def _call(self, method: Callable, request):
        return method(request, timeout=self._must_end - time.monotonic())

    def _watch(self, heard: Heard, ended: Ended) -> None:
        try:
            watched = WatchImportRequest(**self._which)
            for answer in self._call(self._stub.WatchImport, watched):
                heard.hear(answer, ended)
        except grpc.RpcError as error:
            ended.error = error


def _rest(message, position: int, offset: int) -> tuple[dict, int]:
    """What `message`, which begins at `position`, has from `offset` on; and where it ends."""
    skipped = max(offset - position, 0)
    if message.HasField("csv_chunk"):
        rest, end = message.csv_chunk[skipped:], position + len(message.csv_chunk)
        return ({"csv_chunk": rest} if rest else {}), end
    rows = message.rows.rows
    rest = rows[skipped:]
    return ({"rows": UserRows(rows=rest)} if rest else {}), position + len(rows)
