"""The contract's golden messages, which all clients decode alike."""

import json
from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToDict

from userimport.v1 import import_service_pb2

FIXTURES = sorted(Path(__file__).parents[4].glob("tests/wire/*/*.binpb"))


def test_there_are_fixtures():
    assert len(FIXTURES) >= 10


@pytest.mark.parametrize("file", FIXTURES, ids=lambda file: file.stem)
def test_a_golden_message_decodes_to_its_json(file):
    message = getattr(import_service_pb2, file.parent.name)()
    message.ParseFromString(file.read_bytes())
    assert MessageToDict(message) == json.loads(file.with_suffix(".json").read_text())
