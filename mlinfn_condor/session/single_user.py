"""The session as a server of JupyterHub: the hub says who comes in, and under which address its proxy has it."""

from jupyterhub.singleuser.extension import JupyterHubSingleUser


class SingleUser(JupyterHubSingleUser):  # type: ignore[misc]  # jupyterhub has no types
    """JupyterHub's own extension, on a port that the session chooses: the hub cannot know which one a node has free."""

    def load_config_file(self) -> None:
        """Take the hub's configuration from the environment, but not its port."""
        super().load_config_file()
        self.config.ServerApp.port = 0
        self.config.ServerApp.port_retries = 50
        self.serverapp.update_config(self.config)


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    return [{"module": __name__, "app": SingleUser}]
