"""The program against the real server."""

import re
import subprocess
import sys
from pathlib import Path

from server import ORGANIZATION, REPOSITORY

HERE = Path(__file__).parents[1]
HEADER = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE"
MANY = 1_000


def begin(server, *arguments) -> subprocess.Popen:
    options = ["--endpoint", server.address, "--organization", ORGANIZATION]
    return subprocess.Popen(
        [sys.executable, "-m", "roster_import", *options, *map(str, arguments)],
        cwd=HERE,
        env=server.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(server, *arguments) -> tuple[int, str, str]:
    process = begin(server, *arguments)
    out, errors = process.communicate()
    return process.returncode, out, errors


def officers(path: Path, rows: int, header: str = HEADER) -> Path:
    lines = (f"E{n},o{n}@riverton.example,B{n},An,Officer,Active,o{n},Officer" for n in range(rows))
    path.write_text("\n".join([header, *lines, ""]))
    return path


def outcomes(out: str) -> list[tuple[int, str]]:
    found = re.findall(r"^row (\d+): (\w+)", out, re.MULTILINE)
    return sorted((int(row), outcome) for row, outcome in found)


def test_all_rows_of_a_good_file_stand(server):
    code, out, errors = run(server, "csv", REPOSITORY / "examples/roster-before.csv")
    assert code == 0, errors
    assert outcomes(out) == [(row, "created") for row in range(1, 13)]
    assert out.splitlines()[-1].startswith("completed: 12 rows, 12 created,")
    assert len(server.command("export", "--organization", ORGANIZATION).splitlines()) == 13


def test_rejected_rows_of_a_faulty_file_are_listed_with_their_issues(server):
    code, out, errors = run(server, "csv", REPOSITORY / "examples/roster.csv")
    assert code == 3, errors
    rejected = [row for row, outcome in outcomes(out) if outcome == "rejected"]
    assert rejected == [16, 17, 19, 20]
    assert 'row 16: rejected P-1016\n  error: ROLE "Oficer" is not a role' in out
    assert "completed: 20 rows, 16 created, 0 updated, 0 unchanged, 4 rejected" in out


def test_a_dry_run_writes_nothing(server):
    file = REPOSITORY / "examples/roster-before.csv"
    code, out, _ = run(server, "--validate-only", "csv", file)
    assert (code, len(outcomes(out))) == (0, 12)
    assert len(server.command("export", "--organization", ORGANIZATION).splitlines()) == 1


def test_a_refusal_is_heard_while_the_roster_is_still_on_its_way(server, tmp_path):
    file = officers(tmp_path / "large.csv", 200_000, HEADER.replace("EMAIL", "EMIAL"))
    code, out, errors = run(server, "csv", file)
    assert code == 4, errors
    assert outcomes(out) == []
    assert "EMIAL" in errors and "did you mean EMAIL?" in errors
    assert len(server.command("export", "--organization", ORGANIZATION).splitlines()) == 1


def test_typed_rows_are_imported_from_memory(server):
    code, out, errors = run(server, "rows")
    assert code == 0, errors
    assert outcomes(out) == [(1, "created"), (2, "created")]
    users = server.command("export", "--organization", ORGANIZATION)
    assert "HR-2,owen.price@riverton.example,0702,Owen,Price,Active,oprice,Officer" in users
    assert outcomes(run(server, "rows")[1]) == [(1, "unchanged"), (2, "unchanged")]


def test_typed_rows_are_pushed_as_one_call(server):
    code, out, errors = run(server, "push")
    assert code == 0, errors
    assert outcomes(out) == [(1, "created"), (2, "created")]
    assert out.splitlines()[-1].startswith("completed: 2 rows, 2 created,")
    assert outcomes(run(server, "--web", "push")[1]) == [(1, "unchanged"), (2, "unchanged")]


def test_a_push_and_an_import_of_the_same_rows_under_one_id_are_one_import(server):
    import_id = "0190e7f2-0000-7000-8000-000000000001"
    first = run(server, "--import-id", import_id, "rows")
    again = run(server, "--import-id", import_id, "push")
    assert (again[0], outcomes(again[1])) == (0, outcomes(first[1]))


def test_a_refused_push_says_why(server):
    import_id = "0190e7f2-0000-7000-8000-000000000001"
    run(server, "--import-id", import_id, "csv", REPOSITORY / "examples/roster-before.csv")
    code, out, errors = run(server, "--import-id", import_id, "push")
    assert code == 4, errors
    assert "refused: 0 rows" in out
    assert "refused: Import ID" in errors


def test_a_push_waits_for_a_running_import(slow_server, tmp_path):
    first = slow_server.begin_import(officers(tmp_path / "many.csv", MANY))
    code, out, errors = run(slow_server, "--retries", 100, "push")
    assert first.communicate() and first.returncode == 0
    assert code == 0, errors
    assert "with the same import ID (1 of 100)" in errors
    assert outcomes(out) == [(1, "created"), (2, "created")]


def test_a_push_that_finds_no_server_says_how_to_go_on(server):
    server.kill()
    code, _, errors = run(server, "--retries", 1, "push")
    assert code == 5
    assert "with the same import ID (1 of 1)" in errors
    import_id = re.search(r"--import-id (\S+)", errors)[1]
    server.start()
    code, out, errors = run(server, "--import-id", import_id, "push")
    assert code == 0, errors
    assert outcomes(out) == [(1, "created"), (2, "created")]


def test_an_import_survives_the_death_of_its_server(slow_server, tmp_path):
    process = begin(slow_server, "csv", officers(tmp_path / "many.csv", MANY))
    first = process.stdout.readline()
    slow_server.kill()
    slow_server.start()
    # Not by communicate(), which loses what was read beyond the first line.
    rest, errors = process.stdout.read(), process.stderr.read()
    assert process.wait() == 0, errors
    assert outcomes(first + rest) == [(row, "created") for row in range(1, MANY + 1)]
    assert "with the same import ID (1 of 8)" in errors
    assert "The server goes on with this import." in errors
    assert f"completed: {MANY} rows, {MANY} created" in rest
    exported = slow_server.command("export", "--organization", ORGANIZATION)
    assert len(exported.splitlines()) == MANY + 1


def test_a_second_import_waits_for_the_first(slow_server, tmp_path):
    first = slow_server.begin_import(officers(tmp_path / "many.csv", MANY))
    second = officers(tmp_path / "two.csv", 2)
    code, out, errors = run(slow_server, "--retries", 100, "csv", second)
    assert first.communicate() and first.returncode == 0
    assert code == 0, errors
    assert "with the same import ID (1 of 100)" in errors
    assert outcomes(out) == [(1, "unchanged"), (2, "unchanged")]


def test_an_interrupted_import_says_how_to_go_on(slow_server, tmp_path):
    file = officers(tmp_path / "many.csv", MANY)
    process = begin(slow_server, "--retries", 0, "csv", file)
    process.stdout.readline()
    slow_server.kill()
    _, errors = process.communicate()
    assert process.returncode == 5
    import_id = re.search(r"--import-id (\S+)", errors)[1]
    slow_server.start()
    code, out, errors = run(slow_server, "--import-id", import_id, "csv", file)
    assert code == 0, errors
    assert outcomes(out) == [(row, "created") for row in range(1, MANY + 1)]


def test_a_cancelled_import_has_an_exit_code_of_its_own(slow_server, tmp_path):
    import_id = "0190e7f2-0000-7000-8000-000000000001"
    file = officers(tmp_path / "many.csv", MANY)
    process = begin(slow_server, "--import-id", import_id, "csv", file)
    process.stdout.readline()
    slow_server.command("cancel", import_id, "--organization", ORGANIZATION)
    out, errors = process.communicate()
    assert process.returncode == 6, errors
    assert "cancelled: " in out


def test_a_deadline_bounds_all_attempts(slow_server, tmp_path):
    file = officers(tmp_path / "many.csv", MANY)
    code, _, errors = run(slow_server, "--deadline", 0.3, "csv", file)
    assert code == 5
    assert "Deadline" in errors


def test_a_file_that_cannot_be_read_is_wrong_use(server, tmp_path):
    code, _, errors = run(server, "csv", tmp_path / "missing.csv")
    assert code == 2
    assert "missing.csv" in errors


def test_a_file_without_certificates_and_an_impossible_token_are_wrong_use(server):
    code, _, errors = run(server, "--ca", REPOSITORY / "examples/catalog.json", "rows")
    assert (code, "no certificate" in errors) == (2, True)
    code, _, errors = run(server, "--token", "line\nbreak", "rows")
    assert (code, "ASCII" in errors) == (2, True)
