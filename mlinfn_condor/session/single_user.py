"""The session as a server of JupyterHub: the hub says who comes in, and under which address its proxy has it."""

import asyncio

from jupyterhub.singleuser.extension import JupyterHubSingleUser

_HUB_SECONDS = 5
"""How long the start asks the hub for its version, about which nothing more than a warning is ever said."""


class SingleUser(JupyterHubSingleUser):  # type: ignore[misc]  # jupyterhub has no types
    """JupyterHub's own extension, on a port that the session chooses: the hub cannot know which one a node has free."""

    def load_config_file(self) -> None:
        """Take the hub's configuration from the environment, but not its port."""
        super().load_config_file()
        self.config.ServerApp.port = 0
        self.config.ServerApp.port_retries = 50
        self.serverapp.update_config(self.config)

    async def check_hub_version(self) -> None:
        """Compare versions if the hub answers. JupyterHub's own check ends a server that finds no hub; but a session
        that is started again while the hub is away is somebody's work, and the hub finds it when it is back.
        """
        try:
            await asyncio.wait_for(super().check_hub_version(), _HUB_SECONDS)
        except TimeoutError:
            self.log.warning("The hub does not answer; people are let in again when it does")


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    return [{"module": __name__, "app": SingleUser}]
