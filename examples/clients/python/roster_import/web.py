"""The calls of an import over gRPC-Web: plain HTTP requests, as browsers make them."""

import base64
import struct
import urllib.parse
from collections.abc import Iterator

import grpc
import requests
from google.protobuf.message import Message

from userimport.v1 import import_service_pb2 as messages

from .channel import address, system_authorities

_SERVICE = "userimport.v1.ImportService"
_HEADERS = {
    "content-type": "application/grpc-web+proto",
    "accept": "application/grpc-web+proto",
    "x-grpc-web": "1",
}
_PREFIX = struct.Struct(">BI")
_TRAILERS = 0x80

# Seconds for a connection, and between two pieces of an answer: progress comes every two seconds,
# and FinishImport may have to wait until a server that died has been given up.
_CONNECT, _SILENCE = 10, 60

_CODES = {code.value[0]: code for code in grpc.StatusCode}
# What stands between client and server may answer for it.
_OF_HTTP = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.UNIMPLEMENTED,
    408: grpc.StatusCode.UNAVAILABLE,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    429: grpc.StatusCode.UNAVAILABLE,
    501: grpc.StatusCode.UNIMPLEMENTED,
}


class WebError(grpc.RpcError):
    """How a call failed, in the shape that gRPC's own errors have."""

    def __init__(self, code: grpc.StatusCode, message: str, details: bytes = b""):
        super().__init__(message)
        self._code, self._message, self._details = code, message, details

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._message

    def trailing_metadata(self):
        return (("grpc-status-details-bin", self._details),) if self._details else ()


class WebStub:
    """Has the methods of `ImportServiceStub` that gRPC-Web can carry."""

    def __init__(self, endpoint: str, token: str | None = None, ca: str | None = None):
        """`endpoint` and `ca` are those of `connect`."""
        host, is_tls = address(endpoint, ca)
        self._base = f"{'https' if is_tls else 'http'}://{host}/{_SERVICE}/"
        # Given with each call: a variable such as REQUESTS_CA_BUNDLE would replace the session's.
        self._authorities = (ca or system_authorities()) if is_tls else None
        self._session = requests.Session()
        self._session.headers.update(_HEADERS)
        if token:
            self._session.headers["authorization"] = f"Bearer {token}"

    def __enter__(self) -> "WebStub":
        return self

    def __exit__(self, *_) -> None:
        self._session.close()

    def BeginImport(self, request, timeout: float | None = None):
        return self._unary("BeginImport", request, messages.BeginImportResponse, timeout)

    def AppendImport(self, request, timeout: float | None = None):
        return self._unary("AppendImport", request, messages.AppendImportResponse, timeout)

    def FinishImport(self, request, timeout: float | None = None):
        return self._unary("FinishImport", request, messages.FinishImportResponse, timeout)

    def PushUsers(self, request, timeout: float | None = None):
        return self._unary("PushUsers", request, messages.PushUsersResponse, timeout)

    def WatchImport(self, request, timeout: float | None = None):
        return self._call("WatchImport", request, messages.WatchImportResponse, timeout)

    def _unary(self, method: str, request: Message, answer: type, timeout: float | None):
        answers = list(self._call(method, request, answer, timeout))
        if len(answers) != 1:
            raise WebError(grpc.StatusCode.INTERNAL, f"{method} was answered {len(answers)} times")
        return answers[0]

    def _call(
        self, method: str, request: Message, answer: type, timeout: float | None
    ) -> Iterator[Message]:
        encoded = request.SerializeToString()
        silence = _SILENCE if timeout is None else min(_SILENCE, max(timeout, 0.001))
        try:
            with self._session.post(
                self._base + method,
                data=_PREFIX.pack(0, len(encoded)) + encoded,
                timeout=(min(_CONNECT, silence), silence),
                stream=True,
                verify=self._authorities,
            ) as response:
                yield from _answers(response, answer)
        except requests.Timeout as error:
            raise WebError(grpc.StatusCode.UNAVAILABLE, "The server does not answer.") from error
        except requests.RequestException as error:
            message = "The server cannot be reached, or the connection was lost."
            raise WebError(grpc.StatusCode.UNAVAILABLE, message) from error


def _answers(response: requests.Response, answer: type) -> Iterator[Message]:
    """The messages of a response, until its trailers: in its headers, or in the last frame."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    if "grpc-status" in headers:
        return _end(headers)
    if response.status_code != 200:
        is_away = response.status_code >= 500
        other = grpc.StatusCode.UNAVAILABLE if is_away else grpc.StatusCode.UNKNOWN
        code = _OF_HTTP.get(response.status_code, other)
        status = f"{response.status_code} {response.reason}"
        raise WebError(code, f"A proxy on the way answered, not the server: HTTP status {status}.")
    for kind, content in _frames(response):
        if kind & _TRAILERS:
            return _end(_trailers(content))
        message = answer()
        message.ParseFromString(content)
        yield message
    # Without trailers it is not known how the call ended.
    message = "The connection was lost: HTTP status 200 OK, without trailers."
    raise WebError(grpc.StatusCode.UNAVAILABLE, message)


def _frames(response: requests.Response) -> Iterator[tuple[int, bytes]]:
    buffer = bytearray()
    for piece in response.iter_content(chunk_size=None):
        buffer += piece
        while len(buffer) >= _PREFIX.size:
            kind, length = _PREFIX.unpack_from(buffer)
            end = _PREFIX.size + length
            if len(buffer) < end:
                break
            yield kind, bytes(buffer[_PREFIX.size : end])
            del buffer[:end]


def _trailers(content: bytes) -> dict[str, str]:
    lines = content.decode("ascii").split("\r\n")
    pairs = (line.split(":", 1) for line in lines if line)
    return {name.strip().lower(): value.strip() for name, value in pairs}


def _end(trailers: dict[str, str]) -> None:
    """Does nothing where the call ended well."""
    code = _CODES.get(int(trailers.get("grpc-status", 2)), grpc.StatusCode.UNKNOWN)
    if code is grpc.StatusCode.OK:
        return
    details = trailers.get("grpc-status-details-bin", "")
    details = base64.b64decode(details + "=" * (-len(details) % 4))
    raise WebError(code, urllib.parse.unquote(trailers.get("grpc-message", "")), details)
