"""The real server, on a free port and a database of its own."""

import os
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).parents[4]
PROGRAM = os.environ.get("USER_IMPORT_BIN", str(REPOSITORY / "target/debug/user-import"))
ORGANIZATION = "riverton-pd"

PERMISSIONS = (
    "users.import,users.deactivate,users.read,users.grant-privileged,catalog.write,organizations.write"
)

# Each row in a transaction of its own, so that there is time to interfere; the import of a server
# that died can be taken over after a second; and the server leaves it to the clients to wait for
# their turn.
SLOW = ("--transaction-rows", "1", "--lease-seconds", "1", "--import-turn-seconds", "0")


class Server:
    def __init__(self, directory: Path, *options: str):
        self._directory, self._options = directory, options
        self.database = f"sqlite://{directory / 'users.db'}"
        self.address = "127.0.0.1:0"
        self.start()
        self.token = self._create_token()
        self.environment = {**os.environ, "USER_IMPORT_TOKEN": self.token}
        catalog = REPOSITORY / "examples/catalog.json"
        self.command("org", "create", ORGANIZATION)
        self.command("catalog", "apply", str(catalog), "--organization", ORGANIZATION)

    def _create_token(self) -> str:
        """Unlike the server's local token, it is valid after a restart too."""
        create = [PROGRAM, "token", "create", "tests", "--every-organization", "--permission"]
        command = [*create, PERMISSIONS, "--database-url", self.database]
        made = subprocess.run(command, check=True, capture_output=True, text=True)
        return made.stdout.strip()

    def start(self) -> None:
        """On the same database and, the second time, the same port."""
        serve = [PROGRAM, "serve", "--listen", self.address, "--database-url", self.database]
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
        ran = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=self.environment
        )
        return ran.stdout

    def begin_import(self, file: Path) -> subprocess.Popen:
        """Begins another import with the command line, and returns once it writes."""
        command = [PROGRAM, "import", str(file), "--organization", ORGANIZATION, "--format", "json"]
        process = subprocess.Popen(
            [*command, "--endpoint", f"http://{self.address}"],
            stdout=subprocess.PIPE,
            text=True,
            env=self.environment,
        )
        assert any('"results"' in line for line in process.stdout)
        return process
