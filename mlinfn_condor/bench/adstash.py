"""condor_adstash beside ours: HTCondor's own exporter of histories, which writes each record as a JSON document."""

import resource
import subprocess
import sys
import time
from pathlib import Path

from mlinfn_condor.bench.figures import Beside, Measured
from mlinfn_condor.embedded import distribution
from mlinfn_condor.settings import Settings

NAME = "condor_adstash --interface jsonfile --ad_file_type job_epoch_history"
PATIENCE_SECONDS = 1800


def written(history: Path, folder: Path) -> Beside:
    """Read this epoch history once into JSON files of the (new) folder. Where it cannot run, the reason instead."""
    installed = distribution.find(Settings())
    program = installed.bin / "condor_adstash" if installed else None
    if installed is None or program is None or not program.is_file():
        return Beside(NAME, Measured({}, failures=("not measured: this HTCondor has no condor_adstash",)))
    folder.mkdir()
    # This Python has HTCondor's bindings, of the same version or newer; the system's may have none.
    command: list[str | Path] = [
        sys.executable, program, "--quiet", "--standalone", "--interface", "jsonfile", "--json_dir", folder,
        "--log_file", folder / "log", "--ad_file", history, "--ad_file_type", "job_epoch_history",
    ]  # fmt: skip
    environment = {"CONDOR_CONFIG": "ONLY_ENV", "_CONDOR_LIBEXEC": str(installed.libexec), "PATH": "/usr/bin:/bin"}
    began = time.perf_counter()
    try:
        subprocess.run(command, check=True, env=environment, cwd=folder, capture_output=True, timeout=PATIENCE_SECONDS)
    except (subprocess.SubprocessError, OSError) as error:
        return Beside(NAME, Measured({}, failures=(f"not measured: {error}",)))
    seconds = time.perf_counter() - began
    rows = documents(folder)
    figures = {
        "rows": rows,
        "seconds": round(seconds, 2),
        "rows_per_s": round(rows / seconds),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
    }
    return Beside(NAME, Measured(figures))


def documents(folder: Path) -> int:
    """How many it wrote: each has one line with its own id, as deep as its other attributes."""
    count = 0
    for path in folder.glob("[0-9]*.json"):
        with path.open() as lines:
            count += sum(line.startswith('    "_id":') for line in lines)
    return count
