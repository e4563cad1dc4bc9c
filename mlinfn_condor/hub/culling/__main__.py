"""`python -m mlinfn_condor.hub.culling --settings FILE`, started by JupyterHub, which gives address and token."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.hub import settings
from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.hub.certificates import client_context
from mlinfn_condor.hub.culling.account_end import AccountEnds
from mlinfn_condor.hub.culling.culler import Culler
from mlinfn_condor.hub.culling.restarts import Restarts
from mlinfn_condor.hub.hub_api import HubApi
from mlinfn_condor.hub.page.limits import hours

PARENT_SECONDS = 1.0
"""Between two looks whether the hub that started us is there."""


def main() -> None:
    """Run until stopped; a mistake in the settings is one line on stderr and exit code 1."""
    parser = argparse.ArgumentParser(prog="mlinfn_condor.hub.culling", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="the hub's settings file")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="[%(asctime)s %(name)s] %(message)s", stream=sys.stderr)
    try:
        site = settings.read(arguments.settings)
        hub = HubApi(os.environ["JUPYTERHUB_API_URL"], os.environ["JUPYTERHUB_API_TOKEN"], client_context(os.environ))
    except MlinfnError as error:
        sys.exit(str(error))
    except KeyError as error:
        sys.exit(f"{error.args[0]} is not set: JupyterHub starts this service")

    def longest_hours(user: str, options: Mapping[str, Any]) -> float | None:
        return hours(user, str(options.get("project") or ""), site.limits)

    restarts = Restarts(site.folder / "restarts.json")
    ends = AccountEnds(Store(site.accounts_folder))
    asyncio.run(_while_hub_lives(Culler(hub, site.culling, restarts, longest_hours, ends), os.getppid()))


async def _while_hub_lives(culler: Culler, hub: int) -> None:
    """A hub that is killed leaves us behind, and the next one starts its own."""
    running = asyncio.create_task(culler.run())
    while os.getppid() == hub and not running.done():
        await asyncio.wait([running], timeout=PARENT_SECONDS)
    running.cancel()


if __name__ == "__main__":
    main()
