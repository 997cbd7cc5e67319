"""Which endpoints have TLS, and by whose word they are trusted."""

import pytest
from roster_import.channel import address, connect

CA = "authority.pem"


@pytest.mark.parametrize(
    "endpoint, ca, host, is_tls",
    [
        ("https://import.example:443", None, "import.example:443", True),
        ("https://127.0.0.1:50051", CA, "127.0.0.1:50051", True),
        ("http://import.example:80", None, "import.example:80", False),
        ("import.example:50051", None, "import.example:50051", True),
        ("192.0.2.1:50051", None, "192.0.2.1:50051", True),
        ("127.0.0.1.example:50051", None, "127.0.0.1.example:50051", True),
        ("127.0.0.1:50051", None, "127.0.0.1:50051", False),
        ("localhost:50051", None, "localhost:50051", False),
        ("[::1]:50051", None, "[::1]:50051", False),
        ("127.0.0.1:50051", CA, "127.0.0.1:50051", True),
    ],
)
def test_an_endpoint_has_tls_unless_it_says_otherwise_or_is_this_machine(endpoint, ca, host, is_tls):
    assert address(endpoint, ca) == (host, is_tls)


@pytest.mark.parametrize("endpoint", ["", "https://", "ftp://h:1", "https://h/path", "https://u:p@h:1"])
def test_another_endpoint_is_refused(endpoint):
    with pytest.raises(ValueError, match="write it as https://HOST:PORT"):
        address(endpoint)


def test_authorities_for_a_connection_without_tls_are_a_mistake():
    with pytest.raises(ValueError, match="has no TLS"):
        address("http://127.0.0.1:1", CA)


def test_without_a_certificate_in_the_system_s_file_there_is_no_connection(monkeypatch, tmp_path):
    (tmp_path / "empty.pem").write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "empty.pem"))
    with pytest.raises(ValueError, match="no certificate in the file"):
        connect("https://import.example:443")
