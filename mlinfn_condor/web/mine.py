"""The signed-in person's own jobs: what they do, why they wait, what they write, and their end."""

from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from mlinfn_condor.errors import JobNotFound, MlinfnError
from mlinfn_condor.pool import JobId
from mlinfn_condor.store import Error
from mlinfn_condor.web import questions, sizes
from mlinfn_condor.web.drawing import render
from mlinfn_condor.web.pages import FIRST_SECONDS, Somebody, Win, page
from mlinfn_condor.web.person import Person
from mlinfn_condor.web.tails import tail
from mlinfn_condor.web.window import Window

router = APIRouter()
MOST_SHOWN = 200
MOST_FORM_BYTES = 4096
NOTHING = "<p>Choose Why or Log of a job.</p>"


@router.get("/mine")
async def mine(request: Request, window: Win, person: Somebody) -> Response:
    """My jobs, and what my last runs used of what they asked for."""
    await window.live.ready(FIRST_SECONDS)
    try:
        runs = await run_in_threadpool(window.answers.runs, person.name)
        told = render("sizes.html", runs=runs, advice=sizes.advice(runs), trouble="")
    except (MlinfnError, Error) as error:
        told = render("sizes.html", runs=[], advice=[], trouble=str(error))
    return page(request, window, person, "mine.html", "mine", jobs=_jobs(window, person), told=NOTHING, sizes=told)


@router.get("/mine/jobs")
async def jobs(window: Win, person: Somebody) -> Response:
    """The table alone; it asks nobody, but has the queues be looked at."""
    await window.live.ready(0)
    return HTMLResponse(_jobs(window, person))


@router.get("/jobs/{job}/why")
async def why(request: Request, window: Win, person: Somebody, job: str) -> Response:
    """Why it does not run, from the last look."""

    def told() -> str:
        wanted = _mine(window, person, job)
        answer = window.of_queues.ask(partial(questions.explain, job=wanted))
        return render("told.html", title=f"Why {job}", lines=(answer.headline, *answer.lines), files=())

    return await _tell(request, window, person, f"Why {job}", told)


@router.get("/jobs/{job}/log")
async def log(request: Request, window: Win, person: Somebody, job: str) -> Response:
    """The end of what it writes."""
    below = window.home_of(person.name) if window.home_of else None
    try:
        wanted = _mine(window, person, job)
        paths = await window.hands.act(person.name, partial(questions.files_of, job=wanted, user=person.name))
    except MlinfnError as error:
        return _answer(request, window, person, f"Log of {job}", _sentence(f"Log of {job}", str(error)), 404)

    def told() -> str:
        files = []
        for name, path in paths.items():
            try:
                files.append((name, path, tail(path, below) or "(empty)"))
            except MlinfnError as error:
                files.append((name, path, f"not to be read: {error}"))
        lines = () if files else ("It writes no files that are known.",)
        return render("told.html", title=f"Log of {job}", lines=lines, files=files)

    return await _tell(request, window, person, f"Log of {job}", told)


@router.post("/jobs/{job}/stop")
async def stop(request: Request, window: Win, person: Somebody, job: str) -> Response:
    """End one of my jobs; 403 for a form that is not ours, 404 for a job that is not mine."""
    body = await request.body()
    given = parse_qs(body[:MOST_FORM_BYTES].decode(errors="replace")).get("csrf", [""])[0]
    if not window.signature.fits(person, given):
        return PlainTextResponse("this form is not of your page: load the page again", 403)
    title = f"Stop {job}"
    try:
        # Asked of the pool itself and not of the last look, in the person's own name: the pool refuses as well.
        wanted = JobId.parse(job)
        await window.hands.act(person.name, partial(questions.stop, job=wanted, user=person.name))
    except MlinfnError as error:
        return _answer(request, window, person, title, _sentence(title, str(error)), 404)
    done = f"{job} was told to stop. It has its window to save its state, and leaves the list then."
    return _answer(request, window, person, title, _sentence(title, done))


def _jobs(window: Window, person: Person) -> str:
    source = window.live.queue
    mine = source.latest.jobs_of.get(person.name, ()) if source.latest else ()
    return render(
        "jobs.html", root=window.root, csrf=window.signature.of(person), jobs=mine, shown=mine[:MOST_SHOWN],
        at=source.latest.at if source.latest else 0, trouble=source.trouble,
    )  # fmt: skip


def _mine(window: Window, person: Person, job: str) -> JobId:
    """Raises BadRequest, JobNotFound; what is another's is as if it were not there."""
    wanted = JobId.parse(job)
    queue = window.live.queue.latest
    if queue is None or all(one.id != str(wanted) for one in queue.jobs_of.get(person.name, ())):
        raise JobNotFound(f"you had no job {wanted} at the last look")
    return wanted


async def _tell(request: Request, window: Window, person: Person, title: str, told: Callable[[], str]) -> Response:
    try:
        return _answer(request, window, person, title, await run_in_threadpool(told))
    except MlinfnError as error:
        return _answer(request, window, person, title, _sentence(title, str(error)), 404)


def _sentence(title: str, text: str) -> str:
    return render("told.html", title=title, lines=(text,), files=())


def _answer(request: Request, window: Window, person: Person, title: str, body: str, status: int = 200) -> Response:
    """A piece of a page for the page that asks for one, a whole page for who came by a link."""
    if "hx-request" in request.headers:
        return HTMLResponse(body, status)
    return page(request, window, person, "message.html", "", status, title=title, body=body)
