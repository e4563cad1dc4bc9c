"""What the twin of an API server knows of objects: quantities, selectors, and the words of its refusals. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from mlinfn_condor.kube.api import GROUP, Call, Json

UNIT = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


class Refused(Exception):
    """The API server answers with this Status."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": code,
            "reason": reason,
            "message": message,
        }


def amount(quantity: str | int | float) -> float:
    """The number of `500m`, `16Gi`, `2`."""
    text = str(quantity)
    digits = text.rstrip("kKMGTim")
    return float(digits) * UNIT.get(text[len(digits) :], 1)


def asks(pod: Json) -> dict[str, float]:
    """What a pod counts in a quota: itself, and what it requests."""
    found = {"pods": 1.0}
    for container in pod.get("spec", {}).get("containers", []):
        wants = container.get("resources", {})
        for resource, quantity in (wants.get("limits", {}) | wants.get("requests", {})).items():
            name = f"requests.{resource}"
            found[name] = found.get(name, 0.0) + amount(quantity)
    return found


def over_quota(name: str, hard: Mapping[str, float], used: Iterable[Json], pod: Json) -> None:
    """Raises Refused, in Kubernetes' words, when the pod does not fit beside those there are; ended ones are none."""
    sums: dict[str, float] = {}
    for other in used:
        if other["status"]["phase"] not in ("Succeeded", "Failed"):
            for resource, count in asks(other).items():
                sums[resource] = sums.get(resource, 0.0) + count
    wanted = asks(pod)
    over = [what for what in sorted(hard) if sums.get(what, 0.0) + wanted.get(what, 0.0) > hard[what]]
    if over:
        told = [",".join(f"{what}={each.get(what, 0.0):g}" for what in over) for each in (wanted, sums, dict(hard))]
        raise Refused(
            403,
            "Forbidden",
            f'pods "{pod["metadata"]["name"]}" is forbidden: exceeded quota: {name}, '
            f"requested: {told[0]}, used: {told[1]}, limited: {told[2]}",
        )


def denied(user: str, call: Call) -> Refused:
    """RBAC's words."""
    group = GROUP[call.resource]
    return Refused(
        403,
        "Forbidden",
        f'{call.resource} is forbidden: User "{user}" cannot {call.verb} resource "{call.resource}" '
        f'in API group "{group}" in the namespace "{call.namespace}"',
    )


def missing(resource: str, name: str) -> Refused:
    """Nothing of this name."""
    return Refused(404, "NotFound", f'{resource} "{name}" not found')


def fits(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether labels fulfil `a=b,c=d`; an empty selector takes all."""
    wanted = (each.partition("=") for each in selector.split(",") if each)
    return all(labels.get(key) == value for key, _, value in wanted)


def stamp(now: float) -> str:
    """How Kubernetes writes a time: whole seconds."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
