"""The workloads that come with the package, each with its contracts."""

from pathlib import Path

from mlinfn_condor.contracts import settings as contracts_file
from mlinfn_condor.contracts.settings import Contracts
from mlinfn_condor.errors import UserError
from mlinfn_condor.simulation import site, workload
from mlinfn_condor.simulation.workload import Workload

FOLDER = Path(__file__).parent / "workloads"


def names() -> list[str]:
    """What can be named instead of a file."""
    return sorted(path.stem for path in FOLDER.glob("*.csv"))


def find(name: str) -> Path:
    """The CSV file: one of the shipped ones by its name, else a path. Raises UserError."""
    if name in names():
        return FOLDER / f"{name}.csv"
    if (path := Path(name)).is_file():
        return path
    raise UserError(f"{name} is no file and no shipped workload: one of {', '.join(names())}, or a path")


def load(name: str, contracts: Path | None = None) -> tuple[Workload, Contracts]:
    """Workload and contracts: those named, or beside the CSV with the ending `.toml`, or a pool without promises.

    Raises UserError and BadRequest with every mistake.
    """
    path = find(name)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            found = workload.read(stream, path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error}): name a CSV file") from error
    beside = path.with_suffix(".toml")
    chosen = contracts or (beside if beside.is_file() else None)
    promised = contracts_file.read(chosen) if chosen else site.uncontracted(found)
    site.agree(found, promised)
    return found, promised
