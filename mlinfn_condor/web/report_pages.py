"""Reports as pages: plots, tables, how each figure was computed, and the same as CSV."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

from mlinfn_condor.accounting import reports
from mlinfn_condor.accounting.reports import Report, rendering
from mlinfn_condor.accounting.reports.explaining import FUNCTIONS
from mlinfn_condor.accounting.reports.rendering.figures import shown
from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.store import Error
from mlinfn_condor.web.pages import Somebody, Win, page
from mlinfn_condor.web.plots import plot

router = APIRouter()
MOST_ROWS = 100
QUESTIONS = {
    "allocation": "how the granted devices were given out",
    "utilisation": "whether they work or idle",
    "usage": "who uses them, to do what",
    "rightsizing": "how far CPU and memory of a task could shrink",
    "owners": "what owners lent, and got",
    "energy": "the energy of devices, and of whom",
}


@router.get("/reports")
async def all_reports(request: Request, window: Win, person: Somebody) -> Response:
    """Which reports there are."""
    told = [(name, QUESTIONS.get(name, "")) for name in reports.NAMES]
    return page(request, window, person, "reports.html", "reports", reports=told)


@router.get("/reports/{name}.csv")
async def as_csv(
    window: Win, person: Somebody, name: str, since: str = "30d", until: str = "", by: str = ""
) -> Response:
    """The figures in full."""
    try:
        found = await run_in_threadpool(window.answers.report, name, since, until, by or None)
    except (MlinfnError, Error) as error:
        return PlainTextResponse(str(error), 400)
    headers = {"Content-Disposition": f'attachment; filename="{found.name}.csv"'}
    return Response(rendering.as_csv([found]), media_type="text/csv", headers=headers)


@router.get("/reports/{name}")
async def report(
    request: Request, window: Win, person: Somebody, name: str,
    since: str = "30d", until: str = "", by: str = "", explain: str = "",
) -> Response:  # fmt: skip
    """One report of a period and a grouping; `explain`: the rows behind one of its rows."""
    if name not in reports.NAMES:
        return page(request, window, person, "message.html", "", 404, title="No such report", body="")
    found: Report | None = None
    made: Report | None = None
    trouble, tables = "", []
    try:
        found = await run_in_threadpool(window.answers.report, name, since, until, by or None)
        for table in found.tables:
            tables.append((table, await run_in_threadpool(plot, table) if table.bars else ""))
        if explain:
            made = await run_in_threadpool(window.answers.made, name, since, until, by or None, explain)
    except (MlinfnError, Error) as error:
        trouble = str(error)
    grouping = found.by if found else by
    given = {"since": since, "until": until, "by": grouping}
    query = urlencode({key: value for key, value in given.items() if value})
    return page(
        request, window, person, "report.html", "reports", 200 if found else 400,
        name=name, report=found, tables=tables, made=made, trouble=trouble, query=query, how=FUNCTIONS.get(name, ""),
        allowed=reports.allowed(name), most=MOST_ROWS, explainable=True, figure=shown, **given,
    )  # fmt: skip
