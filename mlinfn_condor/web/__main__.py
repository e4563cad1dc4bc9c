"""`python -m mlinfn_condor.web --settings FILE`, started by JupyterHub, which gives address, token and certificates."""

import argparse
import logging
import os
import sys
from pathlib import Path

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.hub.settings import read
from mlinfn_condor.web.serving import as_service


def main() -> None:
    """Run until stopped; a mistake in the settings is one line on stderr and exit code 1."""
    parser = argparse.ArgumentParser(prog="mlinfn_condor.web", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="the hub's settings file")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="[%(asctime)s %(name)s] %(message)s", stream=sys.stderr)
    try:
        as_service(read(arguments.settings), os.environ)
    except MlinfnError as error:
        sys.exit(str(error))
    except KeyError as error:
        sys.exit(f"{error.args[0]} is not set: JupyterHub starts this service")


if __name__ == "__main__":
    main()
