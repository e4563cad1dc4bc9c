"""Addresses of the pages: `pool/offers` for the script of the spawn page, `pool/sessions` for administrators."""

from dataclasses import asdict
from datetime import UTC
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.scopes import needs_scope
from tornado import web

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.hub.page.choice import FIELDS, Choice
from mlinfn_condor.hub.page.form import others
from mlinfn_condor.hub.page.holdings import held, holdings, project_totals
from mlinfn_condor.hub.page.outlook import Start
from mlinfn_condor.hub.page.platform import Platform
from mlinfn_condor.hub.page.view import Board, Said, board, said, told_limits
from mlinfn_condor.submission.phrases import clock, span

_LATEST = "mlinfn_board"


class _PoolHandler(BaseHandler):  # type: ignore[misc]  # jupyterhub has no types
    @property
    def platform(self) -> Platform:
        """What the hub knows of the pool."""
        platform: Platform = self.settings["mlinfn"]
        return platform

    async def board(self) -> Board:
        """The cards of now; reckoned once for each picture of the pool, however many pages are open."""
        snapshot, platform = await self.platform.snapshot(), self.platform
        latest: Board | None = self.settings.get(_LATEST)
        if latest is None or latest.snapshot is not snapshot or snapshot is None:
            latest = board(snapshot, platform.inventory, platform.limits, platform.owners_displace_sessions)
            self.settings[_LATEST] = latest
        return latest


class OffersHandler(_PoolHandler):
    """What the spawn page shows, as JSON, for the fields of its form in the query."""

    async def get(self) -> None:
        """Counts of each model, and what happens to the choice. For `server`, one of the user's own."""
        user = self.current_user
        if user is None:
            raise web.HTTPError(403, "sign in first")
        now, server = await self.board(), self.get_argument("server", "")
        name = self._whose(self.get_argument("user", user.name))
        everybody = () if now.snapshot is None else held(now.snapshot, self.platform.owner_of)
        holding, limits = others(everybody, name, server), self.platform.limits
        form = {field: self.get_query_arguments(field) for field in FIELDS if field in self.request.query_arguments}
        try:
            choice = Choice.from_form(form, now.offers)
        except BadRequest as error:
            words = told_limits(name, "", holding, limits)
            answer = Said(Start.CANNOT.value, f"Cannot start as it is: {error}.", "", words)
        else:
            project = choice.project or next(iter(self.platform.projects_of(name)), "")
            answer = said(now, choice, name, project, holding, limits)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        told = {"answers": now.snapshot is not None, "cards": [asdict(card) for card in now.cards]}
        self.finish(told | asdict(answer))

    def _whose(self, name: str) -> str:
        if name != self.current_user.name and "admin-ui" not in self.parsed_scopes:
            raise web.HTTPError(403, "only an administrator may ask for somebody else")
        return name


class SessionsPage(_PoolHandler):
    """Who holds what, since when, and has used how much."""

    @web.authenticated
    @needs_scope("admin-ui")  # type: ignore[untyped-decorator]
    @needs_scope("list:users")  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """The administrator's page; 403 for anybody else."""
        now = await self.board()
        rows = () if now.snapshot is None else holdings(now.snapshot, self.platform.owner_of)
        activity = {(row.user, row.server): self._last_activity(row.user, row.server) for row in rows}
        html = await self.render_template(
            "pool_sessions.html",
            rows=rows,
            totals=project_totals(rows),
            cards=[card for card in now.cards if card.parts],
            now=0 if now.snapshot is None else now.snapshot.now,
            answers=now.snapshot is not None,
            activity=activity,
            clock=clock,
            span=span,
        )
        self.finish(html)

    def _last_activity(self, user: str, server: str | None) -> int | None:
        """Epoch seconds of what the hub last saw of a session; None when it is not of this hub, or was never used."""
        found: Any = self.find_user(user)
        if found is None or server is None or server not in found.spawners:
            return None
        last = found.spawners[server].orm_spawner.last_activity
        # The hub's database keeps UTC without saying so.
        return None if last is None else int(last.replace(tzinfo=UTC).timestamp())


HANDLERS = [(r"/pool/offers", OffersHandler), (r"/pool/sessions", SessionsPage)]
"""For `c.JupyterHub.extra_handlers`."""
