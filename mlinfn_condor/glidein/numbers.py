"""The numbers of a glidein as HTCondor's configuration has them: policy, `config.d`, the site's file, its orders."""

import os
import subprocess

from mlinfn_condor.glidein.children import environment
from mlinfn_condor.glidein.layout import Layout
from mlinfn_condor.glidein.orders import PREFIX, Orders
from mlinfn_condor.glidein.outcome import Exit, GlideinFailed

NEEDED = ("JOIN_SECONDS", "GRACE_SECONDS", "GOODBYE_SECONDS", "RESERVE_MB")
READ_SECONDS = 20


def read(orders: Orders, layout: Layout) -> dict[str, int]:
    """Those that the entrypoint itself needs, by name; raises GlideinFailed (STARTUP) with what is wrong."""
    program = orders.htcondor / "bin/condor_config_val"
    try:
        asked = subprocess.run(
            [program, *(f"{PREFIX}{name}" for name in NEEDED)],
            env=environment(os.environ, layout),
            capture_output=True,
            text=True,
            timeout=READ_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GlideinFailed(Exit.STARTUP, f"{program} does not answer: {error}; is HTCondor there?") from error
    if asked.returncode != 0:
        raise GlideinFailed(Exit.STARTUP, f"the configuration cannot be read: {(asked.stderr or asked.stdout).strip()}")
    try:
        return {name: int(text) for name, text in zip(NEEDED, asked.stdout.split(), strict=True)}
    except ValueError as error:
        raise GlideinFailed(Exit.STARTUP, f"numbers of glidein/config.d are no whole ones: {asked.stdout!r}") from error
