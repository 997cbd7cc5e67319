"""The connection to a server, and who is calling."""

import grpc

_OPTIONS = [
    # A server that is gone without a word is noticed within half a minute.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # How long gRPC itself waits between two connections; how often to import is `retry`'s.
    ("grpc.max_reconnect_backoff_ms", 5_000),
]


def connect(endpoint: str, ca: bytes | None = None) -> grpc.Channel:
    """Opens a channel to HOST:PORT: over TLS where `ca` (PEM) says whose servers to trust."""
    if ca is None:
        return grpc.insecure_channel(endpoint, _OPTIONS)
    if b"-----BEGIN CERTIFICATE-----" not in ca:
        raise ValueError("there is no certificate in the file of authorities")
    return grpc.secure_channel(endpoint, grpc.ssl_channel_credentials(ca), _OPTIONS)


def bearer(token: str | None) -> list[tuple[str, str]]:
    """The metadata that says who is calling. Without TLS anyone on the way can read it."""
    if token and not (token.isascii() and token.isprintable()):
        raise ValueError("a token has printable ASCII characters only")
    return [("authorization", f"Bearer {token}")] if token else []
