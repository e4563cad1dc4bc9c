"""The site file that `mlinfn site new` writes: text for a person, who goes on from there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

_TEXT = """\
# A site of mlinfn-condor: all that makes this site different from another one. docs/deploy.md goes on from here.
# After a change: mlinfn config check mlinfn.toml, then mlinfn config diff mlinfn.toml deploy, then render and apply.
name = {name}

[hosts]
public = {public}  # what users open
domain = {domain}  # part of every identity and token: not changed later
zone = "UTC"  # by whose clock contracts reckon hours

[pool]  # what there is to promise: pledges, owners, head-room, windows, limits are in docs/sharing.md
projects = [{projects}]
{nodes}
{identity}
[storage.{where}]
{homes}
[kubernetes]
version = "1.35"
namespace = {namespace}
storage_class = {storage_class}  # of the disks of schedds, database and hub; "": the cluster's default
grace_seconds = 135  # the longest window of a job, vacate_seconds_cap, and 15 s
{gpu_nodes}
[kubernetes.images]
registry = {registry}
version = {version}
# digests = {{ platform = "sha256:…" }}  # what a push prints; a version can be moved, a digest cannot

# [backup]  # secrets are named, never written here
# repository = "s3:https://s3.example.org/mlinfn"
# credentials = "mlinfn-backup/credentials"
{kinds}"""


@dataclass(frozen=True)
class Answers:
    """What `mlinfn site new` asks for."""

    name: str = "example"
    public: str = "https://ml.example.org"
    domain: str = "ml.example.org"
    projects: tuple[str, ...] = ("alpha", "beta")
    issuer: str = "https://iam.example.org/"
    client_id: str = "mlinfn"
    namespace: str = "mlinfn"
    storage_class: str = ""
    registry: str = "registry.example.org/mlinfn"
    version: str = "0.1.0"
    nfs: str = "10.96.0.49"
    """`SERVER:/PATH`, or an address of the service network for a server that is rendered."""
    gpus: Mapping[str, int] = field(default_factory=lambda: {"T4": 8})
    """Model → devices of one machine."""


def text(answers: Answers) -> str:
    """The file."""
    return _TEXT.format(
        name=_quoted(answers.name),
        public=_quoted(answers.public),
        domain=_quoted(answers.domain),
        projects=", ".join(map(_quoted, answers.projects)),
        nodes="".join(
            f"[pool.nodes.{_node(model)}-1]\ngpus = {{ {_quoted(model)} = {count} }}\n"
            for model, count in answers.gpus.items()
        )
        or "[pool.nodes.cpu]\ncpus = 8\n",
        identity=_identity(answers),
        where="nfs" if ":/" in answers.nfs else "server",
        homes=_homes(answers),
        namespace=_quoted(answers.namespace),
        storage_class=_quoted(answers.storage_class),
        gpu_nodes=_gpu_nodes(answers),
        registry=_quoted(answers.registry),
        version=_quoted(answers.version),
        kinds="".join(_kind(model, count) for model, count in answers.gpus.items()) + _BARE,
    )


_BARE = """
[provisioning.kinds.cpu]
cpus = 8
memory_mb = 32768
most = 2
"""


def _kind(model: str, count: int) -> str:
    return f"""
[provisioning.kinds.{_node(model)}]  # nodes that come with demand, called {_node(model)}-1, …: docs/provisioning.md
cpus = 16
memory_mb = 65536
device_kind = "gpu"
model = {_quoted(model)}
devices = {count}
most = 1
"""


def _identity(answers: Answers) -> str:
    if not answers.issuer:
        member = f"alice = [{_quoted(answers.projects[0])}]"
        return f"[identity.members]  # they sign in with passwords of the hub: docs/hub.md\n{member}\n"
    groups = "".join(f"{_quoted(project)} = {_quoted(project)}\n" for project in answers.projects)
    return (
        f"[identity.openid]  # who may sign in: docs/hub.md\nissuer = {_quoted(answers.issuer)}\n"
        f"client_id = {_quoted(answers.client_id)}\n"
        'client_secret = "mlinfn-openid/client-secret"  # a reference: SECRET/KEY\n'
        f"[identity.openid.projects]  # group of the provider → project\n{groups}"
    )


def _homes(answers: Answers) -> str:
    server, colon, path = answers.nfs.partition(":/")
    if colon:
        return f"server = {_quoted(server)}\nexport = {_quoted('/' + path)}\n"
    address = _quoted(answers.nfs)
    return (
        f"address = {address}  # of the rendered NFS server: free in the service network\n"
        'machines = ["192.0.2.0/24"]  # networks of the machines (kubectl get nodes -o wide), not of the pods\n'
    )


def _gpu_nodes(answers: Answers) -> str:
    if not answers.gpus:
        return ""
    label = _quoted("nvidia.com/gpu.product")
    lines = "".join(f"{_quoted(model)} = {{ {label} = {_quoted(_product(model))} }}\n" for model in answers.gpus)
    return f"\n[kubernetes.gpu_nodes]  # kubectl get nodes -L nvidia.com/gpu.product\n{lines}"


def _product(model: str) -> str:
    return {"T4": "Tesla-T4", "V100": "Tesla-V100-SXM2-32GB"}.get(model, f"NVIDIA-{model}")


def _node(model: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in model.lower()).strip("-")


def _quoted(word: str) -> str:
    """TOML's basic strings are JSON's."""
    return json.dumps(word, ensure_ascii=False)
