"""Imports rosters into User Import over gRPC.

    with connect("https://import.example:50051") as channel:
        stub = ImportServiceStub(channel)
        start = ImportStart(organization="my-department")
        ended = import_roster(stub, start, CsvFile("roster.csv"), on_row=print)

or a few users that changed, in one call:

    ended = push_users(stub, start, [UserRow(external_id="HR-1", ...)], on_row=print)

or, where there is no gRPC but only HTTP, over gRPC-Web:

    with WebStub("https://import.example:50051") as stub:
        ended = import_in_parts(stub, start, CsvFile("roster.csv"), on_row=print)
"""

from .channel import bearer, connect
from .importer import Ended, import_roster
from .parts import import_in_parts
from .push import push_users
from .roster import CsvFile, RosterUnreadable, TypedRows
from .web import WebStub

__all__ = [
    "CsvFile",
    "Ended",
    "RosterUnreadable",
    "TypedRows",
    "WebStub",
    "bearer",
    "connect",
    "import_in_parts",
    "import_roster",
    "push_users",
]
