"""`python -m mlinfn_condor.services.hosted RUNNER WORD…`: a command of `mlinfn` that ends when its runner does.

A runner that is killed can end nobody; the kernel does it, with the same signal as the runner would have.
"""

import ctypes
import os
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1
"""Of prctl(2)."""


def end_with(parent: int) -> None:
    """Have the kernel send us SIGTERM when the parent dies; ends at once if it is dead already."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the runner is gone")


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    sys.argv = ["mlinfn", *sys.argv[2:]]
    import runpy

    runpy.run_module("mlinfn_condor.cli", run_name="__main__")
