"""Whether an attempt that failed is made again, and when.

Sending an import again is safe: under the same import ID the server goes on where it was, and
reports again what it has done. Nothing is ever applied twice.
"""

import random

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 30.0

# The server always says why, in the status' details. Without them these codes are the connection's.
_LOST = {grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}


def is_transient(error: grpc.RpcError) -> bool:
    """Returns True if the same import may succeed when it is sent again."""
    code = error.code()
    if code == grpc.StatusCode.ABORTED:
        # Another import holds the organisation; RetryInfo says when to ask again.
        return requested_wait(error) is not None
    return code == grpc.StatusCode.UNAVAILABLE or (code in _LOST and not has_details(error))


def wait_before(attempt: int, error: grpc.RpcError | None) -> float:
    """Seconds to wait before retry number `attempt` (1 = the first)."""
    requested = requested_wait(error) or 0.0
    if error is not None and error.code() == grpc.StatusCode.ABORTED:
        own = 0.0
    else:
        own = min(_FIRST_WAIT * 2 ** (attempt - 1), _LONGEST_WAIT)
    # Jitter, so that all who lost the same server do not come back at the same moment.
    return max(own * random.uniform(0.5, 1), requested) + random.uniform(0, 0.25)


def has_details(error: grpc.RpcError) -> bool:
    """Returns True if the server itself sent this status: each status of the server has details."""
    status = rpc_status.from_call(error)
    return status is not None and bool(status.details)


def detail(error: grpc.RpcError | None, kind: type):
    """The message of this kind among the details of the status; None where there is none."""
    status = None if error is None else rpc_status.from_call(error)
    for packed in status.details if status else ():
        message = kind()
        if packed.Unpack(message):
            return message
    return None


def requested_wait(error: grpc.RpcError | None) -> float | None:
    """Seconds that the server asks to wait; None where it does not."""
    retry = detail(error, error_details_pb2.RetryInfo)
    return None if retry is None else retry.retry_delay.ToMicroseconds() / 1e6


def reason(error: grpc.RpcError, name: str) -> dict[str, str]:
    """What the server says along with this reason; nothing where it has another."""
    info = detail(error, error_details_pb2.ErrorInfo)
    return dict(info.metadata) if info and info.reason == name else {}
