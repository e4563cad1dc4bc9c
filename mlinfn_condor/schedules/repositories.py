"""Where a branch of a git repository stands, without a copy of it."""

import os
import re
import subprocess

from mlinfn_condor.errors import BadRequest, MlinfnError

BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
PROTOCOLS = "https:ssh:git:file"
"""No others: git has one that runs any command."""
ANSWER_SECONDS = 20


def split(spec: str) -> tuple[str, str]:
    """Address and branch. Raises BadRequest."""
    address, _, branch = spec.rpartition(" ")
    if not address or address.startswith("-") or not BRANCH.fullmatch(branch):
        raise BadRequest(f"commits: {spec!r} is no address and branch, as in https://host/group/repository main")
    return address, branch


def tip(spec: str) -> str:
    """The commit that the branch is at. Raises MlinfnError: it cannot be asked, or has no such branch."""
    address, branch = split(spec)
    asked = os.environ | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": PROTOCOLS,
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
    }
    try:
        done = subprocess.run(
            ["git", "ls-remote", "--exit-code", "--", address, f"refs/heads/{branch}"],
            env=asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=ANSWER_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise MlinfnError(f"{address} did not answer within {ANSWER_SECONDS} s") from error
    except OSError as error:
        raise MlinfnError(f"git cannot be run: {error.strerror}; install it where the schedules run") from error
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or [f"it has no branch {branch}"])[-1]
        raise MlinfnError(f"{address}: {said}")
    return done.stdout.split()[0]
