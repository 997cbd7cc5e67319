"""A few typed rows as one call: PushUsers, for services that send users as they change."""

import uuid
from collections.abc import Sequence

import grpc

from userimport.v1.import_service_pb2 import ImportStart, ImportSummary, PushUsersRequest
from userimport.v1.types_pb2 import UserRow

from .importer import Ended, Heard, attempts
from .retry import detail


def push_users(
    stub,
    start: ImportStart,
    rows: Sequence[UserRow],
    *,
    metadata: list[tuple[str, str]] | None = None,
    **options,
) -> Ended:
    """Pushes at most 1,000 rows as `import_roster` imports them, with the same options. `stub` is gRPC's, or
    a `WebStub`, which has its token itself."""
    # The ID must not change between attempts: by it the server knows the push again.
    start.import_id = start.import_id or str(uuid.uuid4())
    push = PushUsersRequest(start=start, rows=rows)
    caller = {"metadata": metadata} if metadata else {}

    def attempt(seconds: float, heard: Heard) -> Ended:
        ended = Ended(start.import_id)
        try:
            answer = stub.PushUsers(push, timeout=seconds, **caller)
        except grpc.RpcError as error:
            ended.error = error
            # A refused push has its summary in the details of the status.
            ended.summary = detail(error, ImportSummary)
            return ended
        heard.hear_rows(answer.results)
        heard.hear_users(answer.deactivations.users)
        ended.summary = answer.summary
        return ended

    return attempts(attempt, start, **options)
