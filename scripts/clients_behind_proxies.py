"""Runs the example clients through the proxies of docs/proxies.md, in the configurations given there: nginx, HAProxy and
Caddy, and Envoy if it is installed.

    scripts/clients_behind_proxies.py '{"python": ["python", "-m", "roster_import"], ...}'

Each client imports one roster. Once it has a first result, the server is killed; it stays away until the client has had
the proxy's own answer, and comes back. The one run of the client must go on to its end, and hand on each row once. The
program of a client takes the options that all four have; USER_IMPORT_BIN names the server's.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
CLIENTS = REPOSITORY / "examples/clients"
sys.path.insert(0, str(CLIENTS / "python/tests"))

from server import ORGANIZATION, SLOW, Server  # noqa: E402

ROWS = 300
HEADER = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE"

# The language of its block; what stands in it for the address to listen on; lines around it; how to start it; and what a
# client hears while the server is away.
PROXIES = {
    "nginx": (
        "nginx",
        "443",
        "daemon off; master_process off; pid FOLDER/pid; error_log stderr error;\nevents {}\nhttp {\naccess_log off;\n"
        "client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy; fastcgi_temp_path FOLDER/fastcgi;\n"
        "uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;\n%s}\n",
        ["nginx", "-e", "stderr", "-c"],
        "502",
    ),
    "haproxy": ("haproxy", ":443", "%s", ["haproxy", "-db", "-f"], "503"),
    "caddy": (
        "caddyfile",
        "roster.example {",
        "{\nadmin off\nauto_https off\nstorage file_system FOLDER\n}\n%s",
        ["caddy", "run", "--adapter", "caddyfile", "--config"],
        "502",
    ),
    "envoy": (
        "yaml",
        "{ address: 0.0.0.0, port_value: 443 }",
        "%s",
        ["envoy", "--use-dynamic-base-id", "--concurrency", "1", "--log-level", "error", "-c"],
        # gRPC-Web gets a page.
        "upstream connect error|503",
    ),
}


def main() -> None:
    programs = json.loads(sys.argv[1])
    for proxy in filter(shutil.which, PROXIES):
        for client, program in programs.items():
            began = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                survive(proxy, client, program, Path(folder))
            print(f"{client} behind {proxy}: passed in {time.monotonic() - began:.0f} s", file=sys.stderr)


def survive(proxy: str, client: str, program: list[str], folder: Path) -> None:
    make_certificates(folder)
    with contextlib.ExitStack() as started:
        server = Server(folder, *SLOW, "--trusted-proxy", "127.0.0.1")
        started.callback(server.kill)
        running, address = start(proxy, server.address, folder)
        started.callback(end, running)
        process = begin(client, program, address, server, folder)
        started.callback(end, process)
        out, errors = folder / "out", folder / "errors"
        until(lambda: "row " in out.read_text() or process.poll() is not None, "a first result")
        server.kill()
        answer = PROXIES[proxy][4]
        until(lambda: re.search(answer, errors.read_text()) or process.poll() is not None, "the proxy's answer")
        server.start()
        code = process.wait()
        found = sorted(int(row) for row in re.findall(r"row (\d+): created", out.read_text()))
        told = f"{client} behind {proxy}: exit code {code}\n{errors.read_text()}"
        assert code == 0 and found == list(range(1, ROWS + 1)), told
        assert re.search(answer, errors.read_text()), told


def begin(client: str, program: list[str], address: str, server: Server, folder: Path) -> subprocess.Popen:
    """Begins the import; its output is in the files `out` and `errors`."""
    roster = folder / "roster.csv"
    rows = (f"E{n},o{n}@riverton.example,B{n},An,Officer,Active,o{n},Officer" for n in range(ROWS))
    roster.write_text("\n".join([HEADER, *rows, ""]))
    options = ["--endpoint", address, "--ca", str(folder / "ca.crt"), "--organization", ORGANIZATION]
    with open(folder / "out", "w") as stdout, open(folder / "errors", "w") as stderr:
        return subprocess.Popen(
            [*program, *options, "csv", str(roster)],
            cwd=CLIENTS / client.split()[0],
            env={**server.environment, "REQUESTS_CA_BUNDLE": "/dev/null"},
            stdout=stdout,
            stderr=stderr,
        )


def end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()


def start(proxy: str, server: str, folder: Path) -> tuple[subprocess.Popen, str]:
    """The proxy, on a port that was free a moment ago."""
    language, listens, around, command, _ = PROXIES[proxy]
    page = (REPOSITORY / "docs/proxies.md").read_text()
    block = re.search(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[1]
    for _ in range(10):
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        port, server_port = address.split(":")[1], server.split(":")[1]
        listening = {
            "caddy": f"https://{address} {{",
            "envoy": f"{{ address: 127.0.0.1, port_value: {port} }}",
        }.get(proxy, address)
        text = block.replace(listens, listening, 1).replace("127.0.0.1:50051", server)
        text = text.replace("port_value: 50051", f"port_value: {server_port}")
        text = re.sub(r"/etc/(ssl|haproxy)/roster\.example\.(pem|key)", "FOLDER/proxy.pem", text)
        # Envoy goes by the end of the name.
        file = folder / "configuration.yaml"
        file.write_text((around % text).replace("FOLDER", str(folder)))
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        running = subprocess.Popen([*command, str(file)], **quiet)
        until(lambda: running.poll() is not None or is_open(address), f"{proxy} listens")
        if running.poll() is None:
            return running, address
    raise AssertionError(f"{proxy} does not start")


def is_open(address: str) -> bool:
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port))).close()
    except OSError:
        return False
    return True


def until(holds, what: str) -> None:
    for _ in range(6_000):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError(f"it never came to this: {what}")


def make_certificates(folder: Path) -> None:
    make = 'source scripts/certificates.sh; make_certificates "$0"'
    subprocess.run(["bash", "-euc", make, folder], cwd=REPOSITORY, check=True)
    (folder / "proxy.pem").write_text((folder / "tls.crt").read_text() + (folder / "tls.key").read_text())


if __name__ == "__main__":
    os.environ["PATH"] += ":/usr/sbin"
    for program in ("nginx", "haproxy", "caddy", "openssl"):
        assert shutil.which(program), f"there is no {program}"
    main()
