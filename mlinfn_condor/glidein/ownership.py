"""Whose the daemons' folders are: a startd of root's writes its files as HTCondor's own user."""

import os
import pwd
import re
import shutil
import subprocess

from mlinfn_condor.glidein.children import environment
from mlinfn_condor.glidein.layout import Layout
from mlinfn_condor.glidein.orders import Orders
from mlinfn_condor.glidein.outcome import Exit, GlideinFailed

USER = "condor"
"""Account of HTCondor's packages."""


def hand_over(orders: Orders, layout: Layout) -> None:
    """Give the daemons' folders to the user that they write as; for an ordinary user they are right as they are.

    Raises GlideinFailed (STARTUP) when there is no such user.
    """
    if os.geteuid() != 0:
        return
    uid, gid = _ids(orders, layout)
    for folder in layout.daemons:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, uid, gid)


def _ids(orders: Orders, layout: Layout) -> tuple[int, int]:
    asked = subprocess.run(
        [orders.htcondor / "bin/condor_config_val", "CONDOR_IDS"],
        env=environment(os.environ, layout),
        capture_output=True,
        text=True,
        check=False,
    )
    if match := re.fullmatch(r"(\d+)\.(\d+)", asked.stdout.strip()):
        return int(match[1]), int(match[2])
    try:
        account = pwd.getpwnam(USER)
    except KeyError:
        raise GlideinFailed(
            Exit.STARTUP, f"root's daemons write as the user {USER}, whom this machine does not know: set CONDOR_IDS"
        ) from None
    return account.pw_uid, account.pw_gid
