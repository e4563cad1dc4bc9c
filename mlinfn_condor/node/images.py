"""The image with which the startd tries whether user images would run here.

HTCondor ships one, an empty folder with a program in it. It lacks the places to mount at that every image has (/dev,
/proc, /etc …), which Apptainer cannot add where overlays are not to be had: the test would fail where images run.
"""

import shutil
from pathlib import Path

PLACES = ("dev", "proc", "sys", "etc", "tmp", "var/tmp", "root", "home")
FILES = ("etc/passwd", "etc/group", "etc/hosts", "etc/resolv.conf", "etc/localtime")
PROGRAMS = ("exit_37", "get_user_ns")


def make_test_image(libexec: Path, folder: Path) -> None:
    """HTCondor's test programs, statically linked, with the places to mount at; without them nothing is made."""
    shipped = libexec / "singularity_test_sandbox"
    if not (shipped / PROGRAMS[0]).is_file():
        return
    for place in PLACES:
        (folder / place).mkdir(parents=True, exist_ok=True)
    for file in FILES:
        (folder / file).touch()
    for program in PROGRAMS:
        if (shipped / program).is_file():
            shutil.copy(shipped / program, folder / program)
