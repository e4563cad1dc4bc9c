"""What the page asks the session's server about notices; only who may use the session may ask."""

import json
from typing import Any, Protocol

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from mlinfn_condor.session.notices import Notice, text


class Watch(Protocol):
    """Who knows what stands."""

    notice: Notice | None

    def person_acts(self) -> None:
        """Somebody types or clicks."""

    async def keep(self) -> None:
        """Somebody asks to keep the session."""


class _Page(APIHandler):
    auth_resource = "mlinfn"
    # Jupyter must not take the page's own questions for work.
    _track_activity = False

    def initialize(self, watch: Watch) -> None:
        self.watch = watch


class NoticePage(_Page):
    """What stands: {"notice": null} or its id, text and deadline."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer at once, from the last look."""
        self.finish(json.dumps({"notice": _shown(self.watch.notice)}))


class KeepPage(_Page):
    """A person asks to keep the session."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Answer what stands afterwards."""
        await self.watch.keep()
        self.finish(json.dumps({"notice": _shown(self.watch.notice)}))


class PresencePage(_Page):
    """A person types or clicks in the page, whatever there."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Nothing to answer."""
        self.watch.person_acts()
        self.set_status(204)
        self.finish()


def _shown(notice: Notice | None) -> dict[str, Any] | None:
    if notice is None:
        return None
    return {
        "id": notice.given,
        "text": text(notice),
        "deadline": notice.deadline,
        "can_be_kept": notice.can_be_kept,
    }


def handlers(base_url: str, watch: Watch) -> list[tuple[str, type[_Page], dict[str, Watch]]]:
    """For the server's web application."""
    pages = {"notice": NoticePage, "keep": KeepPage, "presence": PresencePage}
    return [(url_path_join(base_url, "mlinfn", name), page, {"watch": watch}) for name, page in pages.items()]
