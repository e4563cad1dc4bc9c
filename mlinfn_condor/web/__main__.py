"""`python -m mlinfn_condor.web --settings FILE`: the window behind a JupyterHub.

JupyterHub starts it and gives address, token and certificates; with `--token-file` somebody else starts it.
"""

import os
from pathlib import Path

from mlinfn_condor.hub import beginning
from mlinfn_condor.hub.hubs_child import end_with_the_hub
from mlinfn_condor.hub.settings import read
from mlinfn_condor.web.serving import Elsewhere, as_service, beside_hub


def main() -> None:
    """Run until stopped; a mistake in the settings is one line on stderr and exit code 1."""
    parser = beginning.parser("mlinfn_condor.web", __doc__)
    parser.add_argument("--token-file", type=Path, help="what the hub knows it by, where not the hub starts it")
    parser.add_argument("--hub", default="http://proxy:8000", help="the hub, as its proxy offers it")
    parser.add_argument("--listen", default="0.0.0.0:8010", help="where the proxy finds it")
    arguments = parser.parse_args()
    beginning.log_to_stderr()
    with beginning.mistakes_in_a_line(otherwise=", or say --token-file"):
        settings = read(arguments.settings)
        if arguments.token_file:
            beside_hub(settings, Elsewhere(arguments.token_file, arguments.hub, arguments.listen))
        else:
            end_with_the_hub(os.environ)
            as_service(settings, os.environ)


if __name__ == "__main__":
    main()
