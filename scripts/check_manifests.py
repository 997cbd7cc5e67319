"""Checks what schemas do not: that manifests are hardened, and that their parts refer to each other.

    check_manifests.py DEPLOY                           ends with 1 and names what is wrong
    check_manifests.py --nightly-import DEPLOY FOLDER   prints what the CronJob runs, a word a line: its settings,
                                                        PROGRAM, its arguments; its volumes are in FOLDER
    check_manifests.py --queries DEPLOY                 prints the dashboard's queries as rules

scripts/check-deploy calls it.
"""

import json
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
    volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
    # What a claim or a Secret holds belongs to root unless the pod has a group for it.
    if any("secret" in volume or "persistentVolumeClaim" in volume for volume in volumes.values()):
        group = security.get("fsGroup")
        expect(group is not None and group == security.get("runAsGroup"), f"{name}: no fsGroup")
    for container in spec["containers"]:
        security = container.get("securityContext", {})
        where = f"{name}, container {container['name']}"
        expect(security.get("readOnlyRootFilesystem") is True, f"{where}: writable root")
        expect(security.get("allowPrivilegeEscalation") is False, f"{where}: may escalate")
        expect(security.get("capabilities", {}).get("drop") == ["ALL"], f"{where}: capabilities")
        expect("memory" in container.get("resources", {}).get("limits", {}), f"{where}: no limit")
        for mount in container.get("volumeMounts", []):
            expect(mount["name"] in volumes, f"{where}: no volume {mount['name']}")
        check_files(where, container, volumes)


def check_files(where: str, container: dict, volumes: dict) -> None:
    """Files that settings name are mounted; a server behind TLS is known by its authority."""
    settings = {variable["name"]: variable.get("value", "") for variable in container.get("env", [])}
    mounts = {mount["mountPath"]: volumes.get(mount["name"], {}) for mount in container["volumeMounts"]}
    for name, value in settings.items():
        if not value.startswith("/"):
            continue
        folder, file = value.rsplit("/", 1)
        expect(folder in mounts, f"{where}: {name} is a file that is not mounted")
        items = mounts.get(folder, {}).get("secret", {}).get("items")
        names = [item["path"] for item in items or []]
        expect(items is None or file in names, f"{where}: {name} is not in its Secret")
    if settings.get("USER_IMPORT_ENDPOINT", "").startswith("https://"):
        expect("USER_IMPORT_CA_CERT" in settings, f"{where}: the server's authority is not known")
    expect("USER_IMPORT_TOKEN" not in settings, f"{where}: the token is in the environment")


def check_sync(document: dict) -> None:
    """A night's import: rejected rows do not fail it, and what would end the same is not repeated."""
    job = document["spec"]["jobTemplate"]["spec"]
    container = job["template"]["spec"]["containers"][0]
    arguments = container["args"]
    expect("--exit-zero-on-rejected-rows" in arguments, "the CronJob fails for a rejected row")
    rules = job["podFailurePolicy"]["rules"]
    final = [rule["onExitCodes"]["values"] for rule in rules if rule["action"] == "FailJob"]
    expect(final == [[2, 4, 6, 7]], f"the CronJob gives up after the exit codes {final}")


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
        if document["kind"] == "CronJob":
            check_sync(document)
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
            source = volume.split(":")[0]
            is_there = source in compose["volumes"] or (
                source.startswith("./") and (path.parent / source).is_file()
            )
            expect(is_there, f"compose: no volume {volume}")
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
    backup = services["backup"]
    expect(backup.get("read_only") is True, "compose: the root of the backup is writable")
    expect(backup.get("cap_drop") == ["ALL"], "compose: the backup has capabilities")
    expect("healthcheck" in backup, "compose: nobody learns that there is no backup")
    of_database = {name: services[name]["image"] for name in ("database", "backup")}
    expect(len(set(of_database.values())) == 1, f"compose: pg_dump of another version: {of_database}")


def print_nightly_import(deploy: pathlib.Path, folder: str) -> None:
    documents = yaml.safe_load_all((deploy / "kubernetes/sync.yaml").read_text())
    job = next(document for document in documents if document["kind"] == "CronJob")
    container = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]

    def elsewhere(text: str) -> str:
        for mount in container["volumeMounts"]:
            name = mount["mountPath"].rsplit("/", 1)[1]
            text = text.replace(mount["mountPath"] + "/", f"{folder}/{name}/")
        return text

    for variable in container["env"]:
        print(f"{variable['name']}={elsewhere(variable['value'])}")
    print("PROGRAM")
    for argument in container["args"]:
        print(elsewhere(argument))


def print_queries(deploy: pathlib.Path) -> None:
    dashboard = json.loads((deploy / "monitoring/dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    for variable, value in {"$__rate_interval": "5m", "$__range": "1d", "$instance": ".*"}.items():
        queries = [query.replace(variable, value) for query in queries]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    print(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))


if sys.argv[1] == "--nightly-import":
    print_nightly_import(pathlib.Path(sys.argv[2]), sys.argv[3])
    sys.exit()
if sys.argv[1] == "--queries":
    print_queries(pathlib.Path(sys.argv[2]))
    sys.exit()
deploy = pathlib.Path(sys.argv[1])
check_kubernetes(deploy / "kubernetes")
check_compose(deploy / "compose.yaml")
for fault in FAULTS:
    print(fault, file=sys.stderr)
sys.exit(1 if FAULTS else 0)
