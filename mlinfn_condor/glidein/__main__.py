"""`python -m mlinfn_condor.glidein`: the entrypoint of an execution node. No arguments, only its environment."""

import os
import sys
import time

from mlinfn_condor.glidein import orders
from mlinfn_condor.glidein.outcome import GlideinFailed, leave_words
from mlinfn_condor.glidein.running import run


def main() -> int:
    """The exit code of mlinfn_condor.glidein.outcome."""
    began = time.monotonic()
    words = orders.words_file(os.environ)
    name = os.environ.get(f"{orders.PREFIX}NAME", "without a name")
    try:
        code, detail = run(orders.read(os.environ), began)
    except GlideinFailed as error:
        code, detail = error.code, str(error)
    sys.stderr.write(f"glidein {name}: {code.name.lower()} ({int(code)}): {detail}\n")
    leave_words(words, code, detail)
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
