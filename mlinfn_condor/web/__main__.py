"""`python -m mlinfn_condor.web --settings FILE`: the window behind a JupyterHub.

JupyterHub starts it and gives address, token and certificates; with `--token-file` somebody else starts it.
"""

import argparse
import logging
import os
import sys
from pathlib import Path

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.hub.settings import read
from mlinfn_condor.web.serving import Elsewhere, as_service, beside_hub


def main() -> None:
    """Run until stopped; a mistake in the settings is one line on stderr and exit code 1."""
    parser = argparse.ArgumentParser(prog="mlinfn_condor.web", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="the hub's settings file")
    parser.add_argument("--token-file", type=Path, help="what the hub knows it by, where not the hub starts it")
    parser.add_argument("--hub", default="http://proxy:8000", help="the hub, as its proxy offers it")
    parser.add_argument("--listen", default="0.0.0.0:8010", help="where the proxy finds it")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="[%(asctime)s %(name)s] %(message)s", stream=sys.stderr)
    try:
        settings = read(arguments.settings)
        if arguments.token_file:
            beside_hub(settings, Elsewhere(arguments.token_file, arguments.hub, arguments.listen))
        else:
            as_service(settings, os.environ)
    except MlinfnError as error:
        sys.exit(str(error))
    except KeyError as error:
        sys.exit(f"{error.args[0]} is not set: JupyterHub starts this service, or say --token-file")


if __name__ == "__main__":
    main()
