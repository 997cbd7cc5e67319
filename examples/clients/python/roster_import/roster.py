"""Rosters as request messages. A roster can be read any number of times: each attempt sends all of it."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from userimport.v1.import_service_pb2 import ImportFinish, ImportUsersRequest, UserRows
from userimport.v1.types_pb2 import UserRow

# A message may have 4 MiB. Large ones keep HTTP/2 quick, and these leave room for any row.
_CHUNK_BYTES = 512 * 1024
_ROWS_A_MESSAGE = 500


class RosterUnreadable(Exception):
    """The roster could not be read to its end. The server has refused what it got of it."""


class Roster(Protocol):
    def messages(self) -> Iterator[ImportUsersRequest]:
        """All that follows `start`, `finish` included."""


@dataclass(frozen=True)
class CsvFile:
    """A CSV file on disk, sent as it is: the server knows about charsets and delimiters."""

    path: str | Path

    def messages(self) -> Iterator[ImportUsersRequest]:
        byte_count, digest = 0, hashlib.sha256()
        with open(self.path, "rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                byte_count += len(chunk)
                digest.update(chunk)
                yield ImportUsersRequest(csv_chunk=chunk)
        # The totals let the server notice an upload that lost something on its way.
        finish = ImportFinish(byte_count=byte_count, sha256=digest.digest())
        yield ImportUsersRequest(finish=finish)


@dataclass(frozen=True)
class TypedRows:
    """Rows from memory. An optional attribute unset stays as it is; set to "" it is cleared."""

    rows: Sequence[UserRow]

    def messages(self) -> Iterator[ImportUsersRequest]:
        for first in range(0, len(self.rows), _ROWS_A_MESSAGE):
            rows = self.rows[first : first + _ROWS_A_MESSAGE]
            yield ImportUsersRequest(rows=UserRows(rows=rows))
        yield ImportUsersRequest(finish=ImportFinish(row_count=len(self.rows)))
