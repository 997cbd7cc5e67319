"""What is tried again, and when."""

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from roster_import.importer import Ended
from roster_import.retry import wait_before

RETRY = RetryInfo(retry_delay=Duration(seconds=7))
INFO = ErrorInfo(reason="WHY", domain="userimport")


class Failed(grpc.RpcError):
    def __init__(self, code, *details):
        self._code, self._details = grpc.StatusCode[code], details

    def code(self):
        return self._code

    def details(self):
        return "why"

    def trailing_metadata(self):
        status = Status(code=self._code.value[0], message="why")
        for detail in self._details:
            packed = Any()
            packed.Pack(detail)
            status.details.append(packed)
        encoded = ("grpc-status-details-bin", status.SerializeToString())
        return (encoded,) if self._details else ()


@pytest.mark.parametrize(
    ("failed", "transient", "exit_code"),
    [
        (Failed("UNAVAILABLE"), True, 5),
        (Failed("UNAVAILABLE", RETRY), True, 5),
        (Failed("ABORTED", INFO, RETRY), True, 5),
        (Failed("ABORTED", INFO), False, 4),
        (Failed("CANCELLED"), True, 5),
        (Failed("CANCELLED", INFO), False, 6),
        (Failed("INTERNAL"), True, 5),
        (Failed("INTERNAL", INFO), False, 5),
        (Failed("UNKNOWN"), True, 5),
        (Failed("DEADLINE_EXCEEDED"), False, 5),
        (Failed("FAILED_PRECONDITION", INFO), False, 4),
        (Failed("UNAUTHENTICATED", INFO), False, 4),
        (None, True, 5),
    ],
)
def test_only_what_may_end_better_is_sent_again(failed, transient, exit_code):
    ended = Ended("id", error=failed)
    assert (ended.is_transient, ended.exit_code) == (transient, exit_code)


def test_waits_grow_to_half_a_minute_and_never_fall_short_of_what_the_server_asks():
    for attempt in range(1, 50):
        own = min(2 ** (attempt - 1), 30)
        assert own / 2 <= wait_before(attempt, Failed("UNAVAILABLE")) <= own + 0.25
        assert 7 <= wait_before(attempt, Failed("ABORTED", INFO, RETRY)) <= 7.25
        assert wait_before(attempt, Failed("UNAVAILABLE", RETRY)) >= 7
