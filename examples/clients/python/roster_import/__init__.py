"""Imports rosters into User Import over gRPC.

    with connect("127.0.0.1:50051") as channel:
        stub = ImportServiceStub(channel)
        start = ImportStart(organization="my-department")
        ended = import_roster(stub, start, CsvFile("roster.csv"), on_row=print)
"""

from .channel import bearer, connect
from .importer import Ended, import_roster
from .roster import CsvFile, RosterUnreadable, TypedRows

__all__ = [
    "CsvFile",
    "Ended",
    "RosterUnreadable",
    "TypedRows",
    "bearer",
    "connect",
    "import_roster",
]
