import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from server import SLOW, Server  # noqa: E402


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def slow_server(tmp_path):
    server = Server(tmp_path, *SLOW)
    yield server
    server.kill()
