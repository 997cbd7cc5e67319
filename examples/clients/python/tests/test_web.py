"""The program over gRPC-Web, against the real server."""

import io
import re
import subprocess

import grpc
import pytest
import requests
from server import ORGANIZATION, PROGRAM, REPOSITORY, SLOW, Server
from test_import import HEADER, MANY, begin, officers, outcomes, run

from roster_import import CsvFile, TypedRows, WebStub, import_in_parts
from roster_import.__main__ import ROWS
from userimport.v1.import_service_pb2 import BeginImportRequest, ImportStart


class Counting(WebStub):
    """Remembers which parts were sent, and lets a test interfere between two."""

    def __init__(self, server, between=lambda number: None):
        super().__init__(server.address, server.token)
        self.parts, self._between = [], between

    def AppendImport(self, request, timeout=None):
        answer = super().AppendImport(request, timeout)
        self.parts.append((request.offset, len(request.csv_chunk) or len(request.rows.rows)))
        self._between(len(self.parts))
        return answer


def users(server) -> int:
    return len(server.command("export", "--organization", ORGANIZATION).splitlines()) - 1


def test_all_rows_of_a_good_file_stand(server):
    code, out, errors = run(server, "--web", "csv", REPOSITORY / "examples/roster-before.csv")
    assert code == 0, errors
    assert outcomes(out) == [(row, "created") for row in range(1, 13)]
    assert out.splitlines()[-1].startswith("completed: 12 rows, 12 created,")
    assert users(server) == 12


def test_rejected_rows_of_a_faulty_file_are_listed_as_over_grpc(server):
    # Under one import ID both generate the same external ID.
    same = ["--import-id", "0190e7f2-0000-7000-8000-000000000002", "--validate-only", "csv"]
    file = REPOSITORY / "examples/roster.csv"
    code, out, errors = run(server, "--web", *same, file)
    assert code == 3, errors
    assert [row for row, outcome in outcomes(out) if outcome == "rejected"] == [16, 17, 19, 20]
    assert 'row 16: rejected P-1016\n  error: ROLE "Oficer" is not a role' in out
    assert users(server) == 0
    assert run(server, *same, file) == (code, out, errors)


def test_a_refused_import_says_why_and_writes_nothing(server, tmp_path):
    file = officers(tmp_path / "large.csv", 20_000, HEADER.replace("EMAIL", "EMIAL"))
    code, out, errors = run(server, "--web", "csv", file)
    assert code == 4, errors
    assert outcomes(out) == []
    assert "EMIAL" in errors and "did you mean EMAIL?" in errors
    assert out.startswith("refused: 0 rows")
    assert users(server) == 0


def test_typed_rows_are_imported_from_memory(server):
    code, out, errors = run(server, "--web", "rows")
    assert code == 0, errors
    assert outcomes(out) == [(1, "created"), (2, "created")]


@pytest.mark.parametrize("kind", ["csv", "rows"])
def test_an_upload_goes_on_by_its_offset_where_the_server_was_killed(server, tmp_path, kind):
    rows = 20_000
    file = officers(tmp_path / "large.csv", rows)
    if kind == "csv":
        roster, total = CsvFile(file), file.stat().st_size
    else:
        roster, total = TypedRows([ROWS[0]] * 1_700), 1_700
    retried = []

    def restart(ended, wait, attempt):
        retried.append(ended.error.code().name)
        server.start()

    def interfere(number):
        if number == 2:
            server.kill()

    told = []
    with Counting(server, interfere) as stub:
        ended = import_in_parts(
            stub,
            ImportStart(organization=ORGANIZATION),
            roster,
            on_row=lambda row: told.append(row.row),
            on_retry=restart,
        )
    assert retried == ["UNAVAILABLE"]
    # No part was sent twice, and none is missing.
    ends = [offset + length for offset, length in stub.parts]
    assert [offset for offset, _ in stub.parts] == [0, *ends[:-1]]
    assert ends[-1] == total
    if kind == "csv":
        assert (ended.exit_code, ended.summary.created) == (0, rows), ended
        assert sorted(told) == list(range(1, rows + 1))
    else:
        # All others are copies of the first.
        summary = ended.summary
        assert (summary.created, summary.unchanged, summary.rejected) == (1, 1_699, 0)


def test_an_import_survives_the_death_of_its_server(slow_server, tmp_path):
    process = begin(slow_server, "--web", "csv", officers(tmp_path / "many.csv", MANY))
    first = process.stdout.readline()
    slow_server.kill()
    slow_server.start()
    # More than the first line may have been read by now.
    rest, errors = process.stdout.read(), process.stderr.read()
    assert process.wait() == 0, errors
    assert outcomes(first + rest) == [(row, "created") for row in range(1, MANY + 1)]
    assert "with the same import ID (1 of 8)" in errors
    assert users(slow_server) == MANY


def test_a_second_import_waits_for_the_first(slow_server, tmp_path):
    first = slow_server.begin_import(officers(tmp_path / "many.csv", MANY))
    second = officers(tmp_path / "two.csv", 2)
    code, out, errors = run(slow_server, "--web", "--retries", 100, "csv", second)
    assert first.communicate() and first.returncode == 0
    assert code == 0, errors
    assert "with the same import ID (1 of 100)" in errors
    assert outcomes(out) == [(1, "unchanged"), (2, "unchanged")]


def test_an_interrupted_import_says_how_to_go_on(tmp_path):
    server = Server(tmp_path, *SLOW)
    file = officers(tmp_path / "many.csv", MANY)
    process = begin(server, "--web", "--retries", 0, "csv", file)
    process.stdout.readline()
    server.kill()
    _, errors = process.communicate()
    assert process.returncode == 5
    import_id = re.search(r"--import-id (\S+)", errors)[1]
    server.start()
    code, out, errors = run(server, "--web", "--import-id", import_id, "csv", file)
    server.kill()
    assert code == 0, errors
    assert outcomes(out) == [(row, "created") for row in range(1, MANY + 1)]


def test_a_token_is_presented(server, tmp_path):
    create = [PROGRAM, "token", "create", "web", "--organization", ORGANIZATION]
    # The roster has an administrator, whose role is privileged.
    permissions = ["--permission", "users.import", "--permission", "users.grant-privileged"]
    permitted = [*permissions, "--database-url", server.database]
    made = subprocess.run([*create, *permitted], capture_output=True, text=True, check=True)
    file = REPOSITORY / "examples/roster-before.csv"
    code, _, errors = run(server, "--web", "--token", "other", "csv", file)
    assert (code, "credential" in errors) == (4, True), errors
    # To read users is not needed: what it began it may watch.
    code, out, errors = run(server, "--web", "--token", made.stdout.strip(), "csv", file)
    assert (code, len(outcomes(out))) == (0, 12), errors


def test_the_given_authorities_are_trusted_whatever_the_environment_names(monkeypatch):
    trusted = []

    def send(session, request, **options):
        trusted.append(options["verify"])
        raise requests.ConnectionError

    monkeypatch.setattr(requests.Session, "send", send)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/dev/null")
    monkeypatch.setenv("CURL_CA_BUNDLE", "/dev/null")
    with WebStub("127.0.0.1:1", ca="authorities.pem") as stub, pytest.raises(grpc.RpcError):
        stub.BeginImport(BeginImportRequest())
    assert trusted == ["authorities.pem"]


@pytest.mark.parametrize(
    "status, code",
    [
        ("502 Bad Gateway", grpc.StatusCode.UNAVAILABLE),
        ("503 Service Unavailable", grpc.StatusCode.UNAVAILABLE),
        ("520 Own Number", grpc.StatusCode.UNAVAILABLE),
        ("413 Payload Too Large", grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
def test_a_page_of_a_proxy_names_its_status(monkeypatch, status, code):
    number, reason = status.split(" ", 1)
    page = requests.Response()
    page.status_code, page.reason, page.raw = int(number), reason, io.BytesIO()
    monkeypatch.setattr(requests.Session, "send", lambda *_, **__: page)
    with WebStub("127.0.0.1:1") as stub, pytest.raises(grpc.RpcError) as failed:
        stub.BeginImport(BeginImportRequest())
    assert failed.value.code() == code
    expected = f"A proxy on the way answered, not the server: HTTP status {status}."
    assert failed.value.details() == expected


def test_a_file_that_cannot_be_read_is_wrong_use(server, tmp_path):
    code, _, errors = run(server, "--web", "csv", tmp_path / "missing.csv")
    assert (code, "missing.csv" in errors) == (2, True)
