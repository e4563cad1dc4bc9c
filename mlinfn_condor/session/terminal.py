"""The shell of a session's terminals: waits until the session has its device, or starts without one on Ctrl-C."""

import os
import sys

from mlinfn_condor.session.handover import Handover, hide_devices


def main() -> None:
    """Become the user's login shell."""
    handover = Handover.around(os.environ)
    if handover is not None and not handover.is_over:
        sys.stdout.write("Ctrl-C opens a shell without the device.\n")
        try:
            handover.wait(_say)
            sys.stdout.write("\n")
        except KeyboardInterrupt:
            hide_devices(os.environ)
            sys.stdout.write("\r\nThis shell has no device; open another one when yours is ready.\n")
        sys.stdout.flush()
    shell = os.environ.get("SHELL") or "/bin/bash"
    os.execvp(shell, [shell, "-l"])  # noqa: S606


def _say(sentence: str) -> None:
    clear_line = "\r\x1b[K"
    sys.stdout.write(clear_line + sentence)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
