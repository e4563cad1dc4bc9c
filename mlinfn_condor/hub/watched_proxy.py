"""The hub's proxy where somebody else keeps it running: whenever it was started anew, it gets its routes again."""

from jupyterhub.proxy import ConfigurableHTTPProxy
from tornado.ioloop import PeriodicCallback


class WatchedProxy(ConfigurableHTTPProxy):  # type: ignore[misc]  # jupyterhub has no types
    """JupyterHub looks after the routes of an external proxy every five minutes; a session is not to wait for that."""

    async def start(self) -> None:
        """Begin to look; the proxy itself is started by its own supervisor."""
        self._looking = PeriodicCallback(self.check_running, 1e3 * self.check_running_interval)
        self._looking.start()

    def stop(self) -> None:
        """The proxy outlives the hub: sessions go on through it."""
        self._looking.stop()

    async def check_running(self) -> None:
        """Give the proxy all routes if it knows not even the hub's; while it does not answer there is nothing to do."""
        try:
            routes = await self.get_all_routes()
        except Exception as error:
            self.log.warning("The proxy does not answer at %s: %s", self.api_url, error)
            return
        if self.app.hub.routespec not in routes:
            await self.restore_routes()
