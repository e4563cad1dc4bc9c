"""JupyterHub's spawner for this pool: `c.JupyterHub.spawner_class = "mlinfn_condor.hub.CondorSpawner"`."""

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyterhub.app import JupyterHub
from jupyterhub.spawner import Spawner, SpawnException
from sqlalchemy.orm import object_session
from traitlets import Dict, Integer, List, Unicode, default

from mlinfn_condor.errors import BadRequest, JobRefused, MlinfnError, PoolUnavailable
from mlinfn_condor.hub import certificates, journal, sessions, starting
from mlinfn_condor.hub.certificates import Certificate
from mlinfn_condor.hub.page.choice import Choice
from mlinfn_condor.hub.platform import Platform
from mlinfn_condor.hub.sessions import Life
from mlinfn_condor.hub.steps import Step, Steps
from mlinfn_condor.hub.watch import PoolWatch
from mlinfn_condor.pool import Job, JobId, JobState, ads
from mlinfn_condor.session.folder import Server, SessionFolder, folder_in, prepare_for_hub
from mlinfn_condor.submission.requests import OnBehalf, SessionRequest
from mlinfn_condor.submission.snapshot import Snapshot
from mlinfn_condor.submission.submit import submit

LOOK_SECONDS = 0.1
"""Between two looks for the address of a session that is starting: one stat."""
REMOVE_SECONDS = 20
"""How long `stop` waits for the session's job to be gone; JupyterLab ends within a second or two."""
GRACE_SECONDS = 15
"""How long a session of before may take to leave when its user starts it anew."""


class Refused(SpawnException):  # type: ignore[misc]  # jupyterhub has no types
    """A start that failed for a reason; JupyterHub shows the sentence as it is."""

    def __init__(self, error: MlinfnError, reason: str) -> None:
        sentence = _sentence(error)
        super().__init__(sentence, reason=reason)
        self.jupyterhub_message = sentence


class CondorSpawner(Spawner):  # type: ignore[misc]  # jupyterhub has no types
    """Starts each server as a job of class interactive, follows it by one query for all users, and tells the truth.

    A session is gone only if its access point answered and has no such job; as long as nobody answers it is unknown,
    and left alone. Whatever fails before a server answers leaves nothing in the queue.
    """

    homes = Unicode(
        "/home/{username}", help="Home of a user as the hub and all nodes see it; `{username}` is filled in."
    ).tag(config=True)
    session_ip = Unicode(
        "0.0.0.0",  # noqa: S104 - on a node; what may reach it is the site's network policy
        help="Address that a session listens on; 127.0.0.1 where hub and nodes are one machine.",
    ).tag(config=True)
    session_path = Unicode(
        "", help="Folders put in front of a session's PATH, such as that of HTCondor's programs."
    ).tag(config=True)
    session_environment = Dict(
        help="Variables of every session, such as CONDOR_CONFIG. No secrets: each user sees his own."
    ).tag(config=True)
    queue_timeout = Integer(
        600, help="Seconds that a session may wait in the queue until its start is given up, with the reason."
    ).tag(config=True)

    node_names = List(
        Unicode(),
        help="Names and addresses of nodes beside those that the pool knows them by, as they stand in sessions' "
        "certificates; `*.nodes.example.org` is one.",
    ).tag(config=True)

    @default("apply_user_options")
    def _options_are_read_by_start(self) -> Any:
        return lambda _spawner, _options: None

    @default("options_form")
    def _pools_form(self) -> Any:
        return _form

    def __init__(self, **kwargs: Any) -> None:
        self.job: JobId | None = None
        self.folder: SessionFolder | None = None
        self.steps: Steps | None = None
        self.refused: tuple[str, dict[str, list[str]]] | None = None
        """Server and form that were just refused, until the page is drawn again: in the same request."""
        self._submitted = 0.0
        self._certificate: Certificate | None = None
        super().__init__(**kwargs)
        self.start_timeout = self.queue_timeout + 60
        # A hub that starts again asks every server whether it answers, and shuts down those that don't within this
        # time. A node may be slow or cut off for a while, and its session is still somebody's work.
        self.http_timeout = max(self.http_timeout, 120)  # type: ignore[has-type]

    @property
    def watch(self) -> PoolWatch:
        """The hub's view of the pool."""
        return PoolWatch.instance(parent=self.parent)

    @property
    def platform(self) -> Platform:
        """What the site offers and allows."""
        return Platform.instance()

    # What JupyterHub keeps of a server, so that a hub that starts anew finds it.

    def get_state(self) -> dict[str, Any]:
        """The job and the folder through which it speaks; both survive the hub."""
        state: dict[str, Any] = super().get_state()
        if self.job and self.folder:
            state |= {"job": str(self.job), "folder": str(self.folder.path), "options": dict(self.user_options)}
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        """Stand for the job again."""
        super().load_state(state)
        if "job" in state:
            self.folder = SessionFolder(Path(state["folder"]))
            self._stand_for(JobId.parse(state["job"]))

    def clear_state(self) -> None:
        """Forget the job."""
        super().clear_state()
        if self.job:
            self.watch.release(self.job)
        self.job = self.folder = self.steps = None

    # The three things a spawner does.

    async def start(self) -> str:
        """Submit the session and wait until it has an address. What goes wrong is told, and nothing is left behind."""
        self.steps = steps = Steps()
        clicked = time.time()
        outcome, told = "stopped", ""  # what is true when the hub cancels this
        try:
            with self.watch.waiting():
                url = await self._start(steps)
            outcome = "ready"
            return url
        except MlinfnError as error:
            outcome, told = "failed", str(error)
            reason = "unavailable" if isinstance(error, PoolUnavailable) else "refused"
            raise Refused(error, reason) from error
        except Exception as error:
            outcome, told = "failed", type(error).__name__
            raise
        finally:
            steps.close()
            self._note_start(clicked, outcome, told)

    async def poll(self) -> int | None:
        """None while the session lives, and as long as nobody can tell; 0 when it is gone."""
        if self.job is None:
            return 0
        if self.watch.look.life(self.job, self._submitted) is Life.GONE:
            return 0
        await self._renew_token()
        return None

    async def stop(self, now: bool = False) -> None:
        """Remove the job and wait until it is gone, so that the next start finds folder and device free."""
        job, removed = self.job, time.monotonic()
        if job is None:
            return
        try:
            await self.watch.remove(job, f"stopped by the hub for {self.user.name}")
            await self._until_gone([job], removed, 0 if now else REMOVE_SECONDS)
        except MlinfnError as error:
            # The hub looks after sessions that no server stands for: it is removed as soon as the schedd answers.
            self.log.warning("Session %s is not yet removed: %s", job, error)
        finally:
            self.watch.release(job)

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """The steps of the start, as they happen."""
        # Whoever asks at once is there before the certificate is made; and JupyterHub clears the state of the last
        # start before this one, so that nobody is told of that.
        while self.steps is None and self.pending == "spawn":
            await self.watch.next_look(LOOK_SECONDS)
        if self.steps is None:
            return
        async for step in self.steps.follow():
            yield {"progress": step.progress, "message": step.message}

    async def get_url(self) -> str:
        """Where the session answers: it knows better than the hub, which may have been down when it moved.

        It may be on its way to another node, too, or wait for one, while its folder still tells of the start before.
        """
        deadline = time.monotonic() + self.start_timeout
        try:
            with self.watch.waiting():
                while (server := await self._published_by_this_start()) is None or not await self._certified(server):
                    if time.monotonic() > deadline or await self.poll() is not None:
                        return str(self.server.url)
                    await self.watch.next_look(LOOK_SECONDS)
        except (MlinfnError, OSError) as error:
            self.log.error("Session %s of %s cannot be reached: %s", self.job, self._log_name, error)
            return str(self.server.url)
        return server.url

    # What a session shows to hub and proxy, where JupyterHub's `internal_ssl` is on; it asks before each start.

    async def create_certs(self) -> dict[str, str]:
        """Make the session's certificate, for whichever node it will be matched to of those that there are."""
        names = self._nodes_names(await self.watch.snapshot())
        trusted = Path(self.internal_trust_bundles[certificates.AUTHORITY])
        authorities = Path(self.internal_certs_location)
        self._certificate = await self._in_thread(certificates.issue, authorities, trusted, self.user.name, names)
        return {}

    async def move_certs(self, _paths: dict[str, str]) -> dict[str, str]:
        """Where they will be; `start` writes them, when nothing of an earlier session is there any more."""
        slug, home = sessions.slug(self.name), sessions.home_of(self.homes, self.user.name)
        return certificates.paths(folder_in(home, slug))

    def _nodes_names(self, seen: Snapshot | None) -> set[str]:
        nodes = {name for slot in seen.slots for name in slot.hosts} if seen else set()
        return {"localhost", "127.0.0.1", *nodes, *self.node_names}

    async def _certified(self, server: Server) -> bool:
        """Whether the session's certificate names the address at which it answers, after what could be done for it.

        It does not when the node joined after the certificate was issued; then it is issued anew, also for that node.
        False: nobody can tell as yet on which node the session runs. Raises JobRefused where the pool knows the node
        by other names: what a session says of itself is not believed alone.
        """
        host = urlsplit(server.url).hostname or ""
        if self.folder is None or self.job is None or not self.internal_ssl:
            return True
        try:
            if await self._in_thread(certificates.covers, self.folder.path, host):
                return True
            job = (await self.watch.a_look_after(time.monotonic(), GRACE_SECONDS)).jobs.get(self.job)
        except (OSError, ValueError, PoolUnavailable) as error:
            self.log.warning("Whether session %s has a certificate for %s is not known: %s", self.job, host, error)
            return False
        seen, node = await self.watch.fresh_snapshot(), starting.node_of(job) if job else ""
        known = {name for slot in seen.slots if slot.node == node for name in slot.hosts} if seen and node else set()
        if not known:
            return False
        if host not in known:
            raise JobRefused(
                f"the session answers at {host}, and the pool knows its node {node} as {', '.join(sorted(known))}: "
                "an administrator adds that name to [addresses] node_names of the hub"
            )
        authorities, names = Path(self.internal_certs_location), self._nodes_names(seen)
        await self._in_thread(certificates.renew, authorities, self.folder, self.user.name, names)
        self.log.info("Session %s of %s has a certificate for %s, which joined later", self.job, self._log_name, node)
        return True

    # The start, step by step.

    async def _start(self, steps: Steps) -> str:
        choice = await self.platform.choice(self.user_options)
        slug = sessions.slug(self.name)
        home = sessions.home_of(self.homes, self.user.name)
        choice = await self.platform.admit(self.user.name, self.name, choice)
        self.user_options: dict[str, Any] = choice.options()
        request = partial(self._request, choice, home, slug)
        await self._end_earlier(slug)
        await self._in_thread(self.platform.have_home, self.user.name)
        secrets = self._certificate.files() if self._certificate else {}
        self.folder = await self._in_thread(prepare_for_hub, home, slug, self._environment(choice, home, slug), secrets)
        await self._in_thread(self.platform.renew_token, self.user.name, self.folder)
        job = await self.watch.submit(partial(submit, request(self.folder.path)))
        self._stand_for(job)
        self._save_state()
        url = await self._until_it_answers(job, steps)
        steps.tell(Step(90, "JupyterLab answers"))
        return url

    def _note_start(self, clicked: float, outcome: str, reason: str) -> None:
        """For the accounting; a start does not fail for want of it."""
        options = self.user_options if isinstance(self.user_options, dict) else {}
        start = journal.Start(
            clicked=clicked,
            username=self.user.name,
            server=self.name,
            project=str(options.get("project") or ""),
            model=str(options.get("model") or ""),
            job=str(self.job) if self.job and outcome == "ready" else "",
            ready=time.time() if outcome == "ready" else None,
            outcome=outcome,
            reason=reason,
        )
        try:
            journal.note(self.platform.settings.folder, start)
        except OSError as error:
            self.log.warning("Start of %s's session is not in the journal: %s", self.user.name, error)

    def _request(self, choice: Choice, home: Path, slug: str, folder: Path) -> SessionRequest:
        return SessionRequest(
            cpus=choice.cpus,
            memory_mb=choice.memory_mb,
            devices=choice.devices,
            project=choice.project,
            folder=folder,
            root=home,
            ip=self.session_ip,
            on_behalf=OnBehalf(owner=self.user.name, home=home, hub=self.watch.hub_name, server=slug),
        )

    def _environment(self, choice: Choice, home: Path, slug: str) -> dict[str, str]:
        folder = folder_in(home, slug)
        scheme = "https" if self.internal_ssl else "http"
        given = {name: str(value) for name, value in {**self.get_env(), **self.session_environment}.items()}
        given |= self.platform.project_folder(choice.project)
        return given | {
            # HTCondor's starter puts the account's own home there, which need not be the user's on this pool.
            "HOME": str(home),
            "MLINFN_SESSION_PATH": self.session_path,
            "_CONDOR_SEC_TOKEN_DIRECTORY": str(folder / "condor" / "tokens.d"),
            "JUPYTERHUB_SERVICE_URL": f"{scheme}://{self.session_ip}:0{self.server.base_url}",
        }

    async def _end_earlier(self, slug: str) -> None:
        """A start or stop that a killed hub left half-way may still be in the queue."""
        look = await self.watch.a_look_after(time.monotonic(), GRACE_SECONDS)
        earlier = [job.id for job in look.of(self.user.name, slug)]
        for job in earlier:
            await self.watch.remove(job, "its user starts this server anew")
        if not await self._until_gone(earlier, time.monotonic(), GRACE_SECONDS):
            raise PoolUnavailable("your earlier session of this name is still ending: try again in a minute")

    async def _until_it_answers(self, job: JobId, steps: Steps) -> str:
        deadline = time.monotonic() + self.queue_timeout
        seen: Job | None = None
        told: list[Step] = []
        while (server := self._published()) is None or not await self._certified(server):
            look = self.watch.look
            found = look.jobs.get(job)
            if found is not None and found is not seen:
                if seen is None:
                    steps.tell(starting.submitted(found))
                seen = found
                if found.state is JobState.HELD:
                    raise JobRefused(f"the session was put on hold: {ads.text(found.ad, 'HoldReason')}")
                if found.state is JobState.IDLE and look.asked > self._submitted + 2:
                    steps.tell(await self._waiting(found))
                # A job runs a moment before its ad names its devices, and the slots may not be known just then.
                if found.state is JobState.RUNNING and len(told) < 2:
                    told = starting.matched(await self.watch.fresh_snapshot(), found)
                    for step in told:
                        steps.tell(step)
            if look.life(job, self._submitted) is Life.GONE:
                raise JobRefused(await self._ending(job))
            if time.monotonic() > deadline:
                raise JobRefused(await self._timeout(seen))
            await self.watch.next_look(LOOK_SECONDS)
        return server.url

    async def _ending(self, job: JobId) -> str:
        ended = await self.watch.ending(job)
        reason = ads.text(ended.ad, "RemoveReason") if ended else ""
        code = ads.text(ended.ad, "ExitCode") if ended else ""
        why = reason or (f"exit code {code}" if code else "its access point does not tell why")
        # What ended it on its node, such as a quota that only its user meets, stands in its errors.
        words = await self._in_thread(self.folder.last_words) if self.folder and not reason and code != "0" else ""
        if words:
            why += f": {words}"
        return f"the session ended before JupyterLab answered ({why}); its log is {self._log_file()}"

    async def _waiting(self, job: Job) -> Step:
        nodes = (await self.platform.prospects()).of(job)
        return starting.waiting(await self.watch.snapshot(), job, nodes)

    async def _timeout(self, job: Job | None) -> str:
        if job is None or job.state is not JobState.IDLE:
            return f"JupyterLab did not answer within {self.queue_timeout} s; its log is {self._log_file()}"
        waiting = await self._waiting(job)
        return f"the session did not start within {self.queue_timeout} s and was given up. {waiting.message}"

    def _log_file(self) -> str:
        return f"{self.folder.path}/jupyter.err" if self.folder else ""

    async def _until_gone(self, jobs: list[JobId], since: float, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        with self.watch.waiting():
            while left := [job for job in jobs if self.watch.look.life(job, since) is not Life.GONE]:
                if time.monotonic() > deadline:
                    return not left
                await self.watch.next_look(1)
        return True

    def _published(self) -> Server | None:
        return self.folder.server_or_none() if self.folder else None

    async def _published_by_this_start(self) -> Server | None:
        """What the session's present start has told, None while it has not; any, while its access point is away."""
        server = self._published()
        if server is None or server.job_start is None or self.job is None:
            return server
        try:
            look = await self.watch.a_look_after(self._submitted, GRACE_SECONDS)
        except PoolUnavailable as error:
            self.log.warning("Whether session %s was started anew is not known: %s", self.job, error)
            return server
        job = look.jobs.get(self.job)
        if job is None or job.state is JobState.IDLE:
            return None
        return server if server.job_start == ads.whole(job.ad, "JobCurrentStartDate") else None

    def _stand_for(self, job: JobId) -> None:
        self.job, self._submitted = job, time.monotonic()
        self.watch.claim(job, self)

    def _save_state(self) -> None:
        """Now, and not only when the server answers: a hub that dies in between finds its session again."""
        if self.orm_spawner is not None and (database := object_session(self.orm_spawner)):
            self.orm_spawner.state = self.get_state()
            database.commit()

    @property
    def owner(self) -> tuple[str, str]:
        """User and server name, for those who see the job."""
        return self.user.name, self.name

    async def ended(self) -> None:
        """The job is gone: JupyterHub need not wait for its next poll."""
        self.log.info("Session %s of %s has ended", self.job, self._log_name)
        await self.poll_and_notify()

    async def moved(self) -> None:
        """The job was started again on another node: its kernels are lost, its files are not, its address is new."""
        if self.server is None or self.pending:
            return
        deadline = time.monotonic() + self.http_timeout
        try:
            while (
                (server := await self._published_by_this_start()) is None
                # One that does not say of which start it is: of an earlier version of ours.
                or (server.job_start is None and server.url == self.server.url)
                or not await self._certified(server)
            ):
                if time.monotonic() > deadline or await self.poll() is not None:
                    return
                await self.watch.next_look(1)
        except (MlinfnError, OSError) as error:
            self.log.error("Session %s of %s cannot be reached: %s", self.job, self._log_name, error)
            return
        address = urlsplit(server.url)
        self.server.ip, self.server.port = address.hostname, address.port
        self.log.info("Session %s of %s goes on at %s", self.job, self._log_name, server.url)
        await JupyterHub.instance().proxy.add_user(self.user, self.name)

    async def _renew_token(self) -> None:
        """The user's own HTCondor token in the session is good for an hour or so; JupyterHub asks us each minute."""
        if self.folder is None or self._published() is None:
            return
        try:
            await self._in_thread(self.platform.renew_token, self.user.name, self.folder)
        except (MlinfnError, OSError) as error:
            self.log.warning("The token of session %s was not renewed: %s", self.job, error)

    async def _in_thread(self, act: Any, *arguments: Any) -> Any:
        """File systems that nodes share may block."""
        return await asyncio.get_running_loop().run_in_executor(None, partial(act, *arguments))

    # The page on which a user chooses.

    async def options_from_form(self, form: dict[str, list[str]]) -> dict[str, Any]:
        """What the user chose. A form that no browser of ours sent is refused with every mistake."""
        try:
            return (await self.platform.choice_of_form(form)).options()
        except BadRequest as error:
            # JupyterHub asks the user's default server for the page with the refusal, whichever he was starting.
            self.user.spawner.refused = (self.name, form)
            raise Refused(error, "form") from error


async def _form(spawner: CondorSpawner) -> str:
    (server, told), spawner.refused = spawner.refused or (spawner.name, None), None
    return await spawner.platform.form(spawner.user.name, server, spawner.hub.base_url, told)


def _sentence(error: MlinfnError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
