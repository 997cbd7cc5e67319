"""The connection to a server, and who is calling."""

import ipaddress
import ssl
import urllib.parse

import grpc

_OPTIONS = [
    # A server that is gone without a word is noticed within half a minute.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # How long gRPC itself waits between two connections; how often to import is `retry`'s.
    ("grpc.max_reconnect_backoff_ms", 5_000),
]


def connect(endpoint: str, ca: str | None = None) -> grpc.Channel:
    """Opens a channel to `endpoint`; see `address`.

    `ca` is a PEM file of the authorities to trust, in place of those of this system.
    """
    host, is_tls = address(endpoint, ca)
    if not is_tls:
        return grpc.insecure_channel(host, _OPTIONS)
    with open(ca or system_authorities(), "rb") as file:
        authorities = file.read()
    if b"-----BEGIN CERTIFICATE-----" not in authorities:
        raise ValueError("there is no certificate in the file of authorities")
    return grpc.secure_channel(host, grpc.ssl_channel_credentials(authorities), _OPTIONS)


def address(endpoint: str, ca: str | None = None) -> tuple[str, bool]:
    """The HOST:PORT of an endpoint, and whether it has TLS.

    `https://HOST:PORT` has TLS and `http://HOST:PORT` has none. HOST:PORT alone has TLS, unless it is this
    machine and no authorities are given.
    """
    scheme, separator, host = endpoint.rpartition("://")
    if (separator and scheme not in ("http", "https")) or not host or set("/?#@") & set(host):
        raise ValueError(f"{endpoint}: write it as https://HOST:PORT, or http://HOST:PORT without TLS")
    if scheme == "http" and ca is not None:
        raise ValueError(f"{endpoint} has no TLS, so there are no authorities to trust")
    return host, scheme == "https" or (not scheme and (ca is not None or not _is_this_machine(host)))


def _is_this_machine(host: str) -> bool:
    name = urllib.parse.urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def system_authorities() -> str:
    """The PEM file of the authorities that this system trusts, or the one that SSL_CERT_FILE names."""
    file = ssl.get_default_verify_paths().cafile
    if file is None:
        raise ValueError("this system has no file of authorities: give one")
    return file


def bearer(token: str | None) -> list[tuple[str, str]]:
    """The metadata that says who is calling. Without TLS anyone on the way can read it."""
    if token and not (token.isascii() and token.isprintable()):
        raise ValueError("a token has printable ASCII characters only")
    return [("authorization", f"Bearer {token}")] if token else []
