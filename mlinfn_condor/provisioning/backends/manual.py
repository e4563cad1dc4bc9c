"""An administrator as back end: each node that is wanted is a request in a folder, which he fulfils when he likes.

A request is what the TOSCA template `glidein/tosca/glidein.yaml` takes as inputs. The node's slots in the collector
show that it was fulfilled; a request that is withdrawn is gone from the folder.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mlinfn_condor.provisioning.backends.protocol import BackendUnavailable, NodeRefused
from mlinfn_condor.provisioning.nodes import Glidein, NodeKind, Phase, Trouble

INPUTS = ".inputs.yaml"
"""YAML because TOSCA's orchestrators read that; ours is JSON, which every YAML parser takes."""
_ASIDE = "x-mlinfn"
"""Key of what is no input: ours alone."""


class ManualBackend:
    """Requests below `folder`."""

    name = "manual"

    def __init__(self, folder: Path, orders: Mapping[str, str]) -> None:
        """`orders`: collector, domain and site, as in MLINFN_GLIDEIN_…, in small letters."""
        self._folder = folder
        self._orders = dict(orders)

    def glideins(self) -> list[Glidein]:
        """See Backend. Whether one runs, only the collector knows."""
        return list(self._known())

    def start(self, name: str, kind: NodeKind, *, warm: bool = False) -> None:
        """See Backend: writes the request, unless there is one."""
        told = self._orders | {
            "name": name,
            "kind": kind.name,
            "owner_project": kind.owner_project,
            "devices": f"{kind.model}:{kind.devices}" if kind.devices else "none",
            "cpus": kind.cpus,
            "memory": f"{kind.memory_mb} MiB",
            "warm": warm,
            _ASIDE: {"since": time.time()},
        }
        draft = self._folder / f".{name}.{os.getpid()}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(told, indent=1) + "\n")
            os.link(draft, self._file(name))
        except FileExistsError:
            pass  # two callers make one request
        except OSError as error:
            raise NodeRefused(f"cannot write {error.filename}: {error.strerror}", Trouble.QUOTA) from error
        finally:
            draft.unlink(missing_ok=True)

    def remove(self, names: Iterable[str]) -> None:
        """See Backend: withdraws the requests. A node that was made for one leaves by itself when it is idle."""
        for name in names:
            self._file(name).unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}{INPUTS}"

    def _known(self) -> Iterator[Glidein]:
        try:
            files = sorted(self._folder.glob(f"[!.]*{INPUTS}"))
        except OSError as error:
            raise BackendUnavailable(f"cannot read {self._folder}: {error.strerror}") from error
        for file in files:
            try:
                told = json.loads(file.read_text())
                since, kind, warm = float(told[_ASIDE]["since"]), str(told["kind"]), bool(told["warm"])
            except (OSError, ValueError, KeyError, TypeError):
                continue  # withdrawn at this moment, or not ours
            detail = f"an administrator is asked to create it: {file}"
            yield Glidein(file.name.removesuffix(INPUTS), kind, Phase.ASKED, since, detail=detail, warm=warm)
