"""Checks what schemas do not: that manifests are hardened, and that their parts refer to each other.

`check_manifests.py DEPLOY`; ends with 1 and names what is wrong. scripts/check-deploy calls it.
"""

import pathlib
import sys

import yaml

FAULTS: list[str] = []


def expect(holds: bool, message: str) -> None:
    if not holds:
        FAULTS.append(message)


def pods(document: dict):
    """The pod templates of a manifest, with their names."""
    name = f"{document['kind']} {document['metadata']['name']}"
    if document["kind"] == "CronJob":
        yield name, document["spec"]["jobTemplate"]["spec"]["template"]
    elif document["kind"] == "Deployment":
        yield name, document["spec"]["template"]


def check_pod(name: str, pod: dict) -> None:
    spec = pod["spec"]
    security = spec.get("securityContext", {})
    expect(security.get("runAsNonRoot") is True, f"{name} may run as root")
    expect(
        security.get("seccompProfile", {}).get("type") == "RuntimeDefault",
        f"{name} has no seccomp profile",
    )
    expect(
        spec.get("automountServiceAccountToken") is False,
        f"{name} is given a token of the cluster",
    )
    volumes = {volume["name"] for volume in spec.get("volumes", [])}
    for container in spec["containers"]:
        security = container.get("securityContext", {})
        where = f"{name}, container {container['name']}"
        expect(security.get("readOnlyRootFilesystem") is True, f"{where}: writable root")
        expect(security.get("allowPrivilegeEscalation") is False, f"{where}: may escalate")
        expect(security.get("capabilities", {}).get("drop") == ["ALL"], f"{where}: capabilities")
        expect("memory" in container.get("resources", {}).get("limits", {}), f"{where}: no limit")
        for mount in container.get("volumeMounts", []):
            expect(mount["name"] in volumes, f"{where}: no volume {mount['name']}")


def check_kubernetes(folder: pathlib.Path) -> None:
    documents = []
    for path in sorted(folder.glob("*.yaml")):
        documents += [d for d in yaml.safe_load_all(path.read_text()) if d]
    kinds = {document["kind"] for document in documents}
    for kind in ("Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy", "CronJob"):
        expect(kind in kinds, f"no {kind}")
    for document in documents:
        for name, pod in pods(document):
            check_pod(name, pod)
        if document["kind"] == "Deployment":
            container = document["spec"]["template"]["spec"]["containers"][0]
            ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
            for name in ("startupProbe", "readinessProbe", "livenessProbe"):
                probe = container.get(name, {})
                command = probe.get("exec", {}).get("command", [])
                port = probe.get("grpc", {}).get("port")
                asks = command[1:2] == ["health"] or (port is not None and port == ports.get("health"))
                expect(asks, f"the Deployment's {name} asks for no health")
            alive = container.get("livenessProbe", {}).get("exec", {}).get("command", [])
            expect("--alive" in alive, "a server whose database is away would be restarted")
            expect(set(ports) == {"grpc", "metrics", "health"}, f"the Deployment's ports are {ports}")


def check_compose(path: pathlib.Path) -> None:
    compose = yaml.safe_load(path.read_text())
    services = compose["services"]
    for name, service in services.items():
        for needed in service.get("depends_on", {}):
            expect(needed in services, f"compose: {name} needs {needed}, which is not there")
        for volume in service.get("volumes", []):
            expect(volume.split(":")[0] in compose["volumes"], f"compose: no volume {volume}")
        expect(
            "no-new-privileges:true" in service.get("security_opt", []),
            f"compose: {name} may gain privileges",
        )
    server = services["server"]
    expect(server.get("read_only") is True, "compose: the server's root is writable")
    expect(server.get("user") == "65532:65532", "compose: the server runs as root")
    expect(server.get("cap_drop") == ["ALL"], "compose: the server has capabilities")
    health = server.get("healthcheck", {}).get("test", [])
    expect("health" in health, "compose: the server is asked for no health")


deploy = pathlib.Path(sys.argv[1])
check_kubernetes(deploy / "kubernetes")
check_compose(deploy / "compose.yaml")
for fault in FAULTS:
    print(fault, file=sys.stderr)
sys.exit(1 if FAULTS else 0)
