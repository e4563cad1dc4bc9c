"""What every bench's object begins with."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from mlinfn_condor.bench import machine
from mlinfn_condor.errors import UserError


def opening(name: str, known: Collection[str], cases: Collection[str], *, quick: bool) -> dict[str, Any]:
    """To be made before anything is measured. Raises UserError for a case that there is not."""
    if unknown := set(cases) - set(known):
        raise UserError(f"{name} has no case {', '.join(sorted(unknown))}: one of {', '.join(known)}")
    return {
        "bench": name,
        "quick": quick,
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.machine(),
        "versions": machine.versions(),
    }
