"""Cases `free` and `full`: from the click on Start to a JupyterLab that can be used, in a real browser."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from typing import TYPE_CHECKING

from mlinfn_condor.bench.figures import Beside, Case, Measured, Target, starts
from mlinfn_condor.bench.spawn_stand import HubStand
from mlinfn_condor.bench.spawn_visitor import Failed, Visitor
from mlinfn_condor.errors import Timeout, UserError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FREE, FULL = "free", "full"
TARGETS: dict[str, Target] = {
    FREE: {"p95_s": ("<=", 10), "failed": ("<=", 0)},
    FULL: {"p95_s": ("<=", 12), "failed": ("<=", 0)},
}
MODELS = ("T4", "RTX5000", "A30", "A100")
PATIENCE_SECONDS = 120
USABLE = ".jp-Launcher"
"""JupyterLab's page is complete, and its launcher takes clicks."""
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


def measure(stand: HubStand, repeats: int, case: str) -> Measured:
    """People one after another, each with a browser that was never here, on a pool as the case wants it.

    Whoever sees no JupyterLab counts in `failed`, and with no time.
    """
    seconds: list[float] = []
    failures: list[str] = []
    passwords = stand.hub.passwords
    told = f"{case}: {repeats} people, one at a time"
    with browser() as program, stand.report.step(told, repeats) as step:
        for user, model, _ in zip(cycle(stand.plan.names), cycle(MODELS), range(repeats), strict=False):
            try:
                stand.wait_until_full()
                seconds.append(_click(program, stand.hub.url, user, passwords[user], f"gpu:{model}"))
            except Timeout as error:
                failures.append(f"{user}: {error}")
            # A session that stays keeps the pool from being as the case wants it, and the next look tells.
            with suppress(Failed, OSError):
                Visitor(stand.hub.url, user, passwords[user]).stop()
            step.advance(1)
    return starts("usable_s", seconds, failures)


def case(name: str, ours: Measured, beside: Beside | None = None) -> Case:
    """The case, with its target."""
    return Case(name, ours, TARGETS[name], beside)


@contextmanager
def browser() -> Iterator["Browser"]:
    """A headless Chromium of this machine. Raises UserError if there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise UserError("the cases free and full drive a browser: pip install playwright") from error
    if program is None:
        raise UserError("the cases free and full need a browser: install Chromium (Debian: apt install chromium)")
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as home:
        launched = driver.chromium.launch(executable_path=program, args=FLAGS, env={**os.environ, "HOME": home})
        try:
            yield launched
        finally:
            launched.close()


@contextmanager
def sign_in(program: "Browser", url: str, user: str, password: str) -> Iterator["Page"]:
    """A page of a browser that was never here, signed in. Raises Timeout, also for what is done with the page."""
    from playwright.sync_api import Error

    context = program.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        page.goto(f"{url}hub/login")
        page.fill("input[name=username]", user)
        page.fill("input[name=password]", password)
        page.click("[type=submit]")
        page.wait_for_url(lambda address: "/hub/login" not in address)
        yield page
    except Error as error:
        raise Timeout(f"the browser at {url}: {error.message.splitlines()[0]}") from error
    finally:
        context.close()


def open_lab(page: "Page", began: float, seconds: float = PATIENCE_SECONDS) -> float:
    """Seconds from `began` (monotonic) until JupyterLab can be used. Raises Timeout with what the page says instead."""
    from playwright.sync_api import TimeoutError as TooLate

    try:
        page.wait_for_selector(USABLE, timeout=seconds * 1000)
    except TooLate as error:
        raise Timeout(
            f"no JupyterLab within {seconds:g} s; {page.url} says: {page.inner_text('body')[:300]}"
        ) from error
    return time.monotonic() - began


def _click(program: "Browser", url: str, user: str, password: str, device: str) -> float:
    with sign_in(program, url, user, password) as page:
        page.goto(f"{url}hub/spawn/{user}")
        page.locator(f"input[name=device][value='{device}']").check(force=True)
        began = time.monotonic()
        page.click("#spawn_form [type=submit]", no_wait_after=True)
        return open_lab(page, began)
