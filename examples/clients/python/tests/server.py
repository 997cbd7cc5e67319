"""The real server, on a free port and a database of its own."""

import os
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).parents[4]
PROGRAM = os.environ.get("USER_IMPORT_BIN", str(REPOSITORY / "target/debug/user-import"))
ORGANIZATION = "riverton-pd"

# Each row in a transaction of its own, so that there is time to interfere; and the import of a
# server that died can be taken over after a second.
SLOW = ("--transaction-rows", "1", "--lease-seconds", "1")


class Server:
    def __init__(self, directory: Path, *options: str):
        self._directory, self._options = directory, options
        self.address = "127.0.0.1:0"
        self.start()
        catalog = REPOSITORY / "examples/catalog.json"
        self.command("org", "create", ORGANIZATION)
        self.command("catalog", "apply", str(catalog), "--organization", ORGANIZATION)

    def start(self) -> None:
        """On the same database and, the second time, the same port."""
        database = f"sqlite://{self._directory / 'users.db'}"
        serve = [PROGRAM, "serve", "--listen", self.address, "--database-url", database]
        with open(self._directory / "server.log", "a") as log:
            self._process = subprocess.Popen(
                [*serve, *self._options], stdout=subprocess.PIPE, stderr=log, text=True
            )
        line = self._process.stdout.readline()
        assert "listening on " in line, line
        self.address = line.split()[-1]

    def kill(self) -> None:
        """SIGKILL: it has no chance to tidy up."""
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def command(self, *arguments: str) -> str:
        """Runs one of the `user-import` commands against it, and returns what that prints."""
        command = [PROGRAM, *arguments, "--endpoint", f"http://{self.address}"]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def begin_import(self, file: Path) -> subprocess.Popen:
        """Begins another import with the command line, and returns once it writes."""
        command = [PROGRAM, "import", str(file), "--organization", ORGANIZATION, "--format", "json"]
        process = subprocess.Popen(
            [*command, "--endpoint", f"http://{self.address}"], stdout=subprocess.PIPE, text=True
        )
        assert any('"results"' in line for line in process.stdout)
        return process
