"""The program: roster-import --organization my-department csv roster.csv"""

import argparse
import os
import sys

from userimport.v1.import_service_pb2 import ImportStart
from userimport.v1.import_service_pb2_grpc import ImportServiceStub
from userimport.v1.types_pb2 import (
    DeactivatedUser,
    ImportState,
    IssueSeverity,
    RowOutcome,
    RowResult,
    UserRow,
)

from . import (
    CsvFile,
    Ended,
    RosterUnreadable,
    TypedRows,
    WebStub,
    bearer,
    connect,
    import_in_parts,
    import_roster,
    push_users,
)

# As they may come from another system. `phone` is "": cleared. `rank` is unset: left as it is.
ROWS = [
    UserRow(
        external_id="HR-1",
        email="nadia.keller@riverton.example",
        badge_number="0701",
        first_name="Nadia",
        last_name="Keller",
        status="Active",
        username="nkeller",
        role="Supervisor",
        rank="Sergeant",
        phone="+12025550171",
    ),
    UserRow(
        external_id="HR-2",
        email="owen.price@riverton.example",
        badge_number="0702",
        first_name="Owen",
        last_name="Price",
        status="Active",
        username="oprice",
        role="Officer",
        supervisor_email="nadia.keller@riverton.example",
        phone="",
    ),
]


def main() -> int:
    options = _options()
    try:
        ended = _run(options)
    except (OSError, ValueError, RosterUnreadable) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    _print_end(ended)
    return ended.exit_code


def _run(options: argparse.Namespace) -> Ended:
    roster = CsvFile(options.file) if options.command == "csv" else TypedRows(ROWS)
    start = ImportStart(
        organization=options.organization,
        import_id=options.import_id,
        validate_only=options.validate_only,
    )
    told = {
        "deadline": options.deadline,
        "retries": options.retries,
        "on_row": _print_row,
        "on_deactivated": _print_deactivated,
        "on_retry": lambda *retry: _print_retry(*retry, options.retries),
        "on_resumed": lambda: _note("The server goes on with this import."),
    }
    metadata = bearer(options.token)
    pushes = options.command == "push"
    if options.web:
        with WebStub(options.endpoint, options.token, options.ca) as stub:
            if pushes:
                return push_users(stub, start, ROWS, **told)
            return import_in_parts(stub, start, roster, **told)
    with connect(options.endpoint, options.ca) as channel:
        stub = ImportServiceStub(channel)
        if pushes:
            return push_users(stub, start, ROWS, metadata=metadata, **told)
        return import_roster(stub, start, roster, metadata=metadata, **told)


def _options() -> argparse.Namespace:
    environment = os.environ.get
    parser = argparse.ArgumentParser(prog="roster_import", description="Imports a roster.")
    add = parser.add_argument
    organization = environment("USER_IMPORT_ORGANIZATION")
    add("--organization", default=organization, required=not organization, help="slug")
    endpoint = environment("USER_IMPORT_ENDPOINT", "http://127.0.0.1:50051")
    add("--endpoint", default=endpoint, help="https://HOST:PORT, or http://HOST:PORT without TLS")
    add("--token", default=environment("USER_IMPORT_TOKEN"), help="bearer token")
    add("--ca", help="PEM file of the authorities to trust, not the system's")
    add("--web", action="store_true", help="over gRPC-Web, where gRPC does not get through")
    add("--import-id", default="", help="UUID, to go on with an interrupted import")
    add("--validate-only", action="store_true", help="report what would happen, write nothing")
    add("--deadline", type=float, default=3600, help="seconds for all attempts together")
    add("--retries", type=int, default=8, help="how often to try again")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("csv", help="import a CSV file").add_argument("file")
    commands.add_parser("rows", help="import typed rows from memory")
    commands.add_parser("push", help="push the same rows as one call")
    return parser.parse_args()


def _print_row(row: RowResult) -> None:
    outcome = RowOutcome.Name(row.outcome).removeprefix("ROW_OUTCOME_").lower()
    print(f"row {row.row}: {outcome} {_printable(row.external_id)}", flush=True)
    for issue in row.issues:
        severity = IssueSeverity.Name(issue.severity).removeprefix("ISSUE_SEVERITY_").lower()
        print(f"  {severity}: {_printable(issue.message)}")


def _print_deactivated(user: DeactivatedUser) -> None:
    print(f"deactivated: {_printable(user.external_id)}")


def _print_retry(ended: Ended, wait: float, attempt: int, retries: int) -> None:
    why = ended.error.details() if ended.error else "The stream broke off."
    _note(f"{why} Retrying in {wait:.1f} s with the same import ID ({attempt} of {retries}).")


def _print_end(ended: Ended) -> None:
    summary = ended.summary
    if summary:
        state = ImportState.Name(summary.state).removeprefix("IMPORT_STATE_").lower()
        print(
            f"{state}: {summary.rows} rows, {summary.created} created, {summary.updated} updated, "
            f"{summary.unchanged} unchanged, {summary.rejected} rejected, "
            f"{summary.deactivated} deactivated"
        )
        for warning in summary.warnings:
            print(f"  warning: {_printable(warning.message)}")
        for refusal in summary.refusals:
            _note(f"refused: {refusal.message}")
    # The summary has every reason; the status only as many as fit.
    if ended.error and not (summary and summary.refusals):
        _note(f"error: {ended.error.details()}")
    if ended.exit_code == 5:
        _note(f"To go on, repeat this with --import-id {ended.import_id}")


def _note(text: str) -> None:
    print(_printable(text), file=sys.stderr, flush=True)


def _printable(text: str) -> str:
    """A quoted value may hold characters that would command the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


if __name__ == "__main__":
    sys.exit(main())
