"""How the services beside the hub begin: their words, their log, and mistakes told in one line."""

import argparse
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.hub import settings
from mlinfn_condor.hub.certificates import client_context
from mlinfn_condor.hub.hub_api import HubApi
from mlinfn_condor.hub.hubs_child import end_with_the_hub
from mlinfn_condor.hub.settings import HubSettings


def parser(module: str, description: str | None) -> argparse.ArgumentParser:
    """The words that each of them takes."""
    made = argparse.ArgumentParser(prog=module, description=description)
    made.add_argument("--settings", type=Path, required=True, help="the hub's settings file")
    return made


def log_to_stderr() -> None:
    """Where the hub's own log goes, too."""
    logging.basicConfig(level=logging.INFO, format="[%(asctime)s %(name)s] %(message)s", stream=sys.stderr)


@contextmanager
def mistakes_in_a_line(otherwise: str = "") -> Iterator[None]:
    """End with exit code 1; `otherwise`: what to say where the hub's own variables are not needed."""
    try:
        yield
    except MlinfnError as error:
        sys.exit(str(error))
    except KeyError as error:
        sys.exit(f"{error.args[0]} is not set: JupyterHub starts this service{otherwise}")


def by_the_hub(module: str, description: str | None) -> tuple[HubSettings, HubApi]:
    """What one that JupyterHub starts works with; JupyterHub gives address, token and certificates."""
    arguments = parser(module, description).parse_args()
    log_to_stderr()
    end_with_the_hub(os.environ)
    with mistakes_in_a_line():
        site = settings.read(arguments.settings)
        hub = HubApi(os.environ["JUPYTERHUB_API_URL"], os.environ["JUPYTERHUB_API_TOKEN"], client_context(os.environ))
    return site, hub
