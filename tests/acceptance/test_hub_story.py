"""Two stories in a real browser: a GPU on a full pool, and again tomorrow; a start that fails and breaks nothing."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import a_browser
from hub_client import wait_until
from playwright.sync_api import Page, expect

from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.hub.local import lifecycle
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.settings import Settings

START_SECONDS = 90
SLOW = """
import signal, sys, time
def leave(*_):
    time.sleep(5)
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
while True:
    time.sleep(1)
"""
"""Batch that needs five of its seconds to save its state."""
KEEP_PROGRESS = """
new MutationObserver(() => {
    const log = document.getElementById("progress-log");
    if (log && log.textContent) sessionStorage.setItem("progress", log.textContent);
}).observe(document, {childList: true, subtree: true});
"""
"""Keeps what the progress page showed: a fast start leaves it before anybody has looked."""


@pytest.fixture(scope="module")
def settings(pool_home: Path) -> Settings:
    return Settings(home=pool_home, pool="hub")


@pytest.fixture(scope="module")
def hub(settings: Settings) -> Iterator[RunningHub]:
    try:
        yield lifecycle.up(settings, SilentReport())
    finally:
        pools.down(settings, graceful_seconds=0)


@pytest.fixture
def page() -> Iterator[Page]:
    with a_browser() as browser:
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        page.add_init_script(KEEP_PROGRESS)
        yield page


def ask(settings: Settings, user: str, *command: str) -> str:
    """What a command of HTCondor's prints."""
    environment = os.environ | pools.environment(settings, user)
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout


def fill(settings: Settings, hub: RunningHub) -> None:
    """All sixteen GPUs with batch of bob's."""
    home = hub.layout.pool.homes / "bob"
    (home / "slow.py").write_text(SLOW)
    submit = ["condor_submit", "-name", "batch@", "submit_templates/training.sub", f"folder={home}", "gpus=1"]
    for _ in range(16):
        ask(settings, "bob", *submit, f"command=python {home}/slow.py")
    running = ["condor_q", "-name", "batch@", "-all", "-constraint", "JobStatus == 2", "-af", "ClusterId"]
    wait_until(lambda: len(ask(settings, "admin", *running).split()) == 16, 90, "sixteen trainings run")


def empty(settings: Settings) -> None:
    ask(settings, "admin", "condor_rm", "-name", "batch@", "-constraint", "true")


def sign_in(page: Page, hub: RunningHub, user: str) -> None:
    page.goto(f"{hub.url}hub/login")
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", hub.passwords[user])
    page.click("[type=submit]")
    expect(page.locator("a", has_text="Logout").first).to_be_visible()


def choose(page: Page, hub: RunningHub, user: str, device: str) -> None:
    page.goto(f"{hub.url}hub/spawn/{user}")
    page.locator(f"input[name=device][value='{device}']").check(force=True)


def lab(page: Page) -> None:
    page.wait_for_url("**/lab**", timeout=START_SECONDS * 1000)
    page.wait_for_selector("#jp-top-panel", timeout=START_SECONDS * 1000)


def stop(page: Page, hub: RunningHub) -> None:
    page.goto(f"{hub.url}hub/home")
    page.click("#stop")
    page.wait_for_selector("#stop", state="hidden", timeout=60_000)


def node(hub: RunningHub, user: str) -> str:
    folder = hub.layout.pool.homes / user / ".mlinfn" / "sessions" / "hub-default"
    return next(line for line in (folder / "server.json").read_text().splitlines() if '"node"' in line)


def test_a_gpu_on_a_full_pool_and_the_file_on_another_node(settings, hub, page):
    fill(settings, hub)
    sign_in(page, hub, "alice")
    choose(page, hub, "alice", "gpu:T4")
    sentence = page.locator("body")
    expect(sentence).to_contain_text("a batch job of bob gives way", timeout=15_000)
    page.click("#spawn_form [type=submit]")
    lab(page)
    assert "Hand-over" in page.evaluate("sessionStorage.getItem('progress')")
    first = node(hub, "alice")
    page.locator(".jp-LauncherCard[data-category=Notebook]").first.click()
    cell = page.locator(".jp-Notebook .jp-Cell .cm-content").first
    # A notebook that is still being drawn takes the focus back, and what was typed before is lost.
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=90_000)
    cell.click()
    page.keyboard.type("print(1); open('proof.txt', 'w').write('here')")
    expect(cell).to_contain_text("proof.txt")
    page.keyboard.press("Shift+Enter")
    output = page.locator(".jp-OutputArea-output", has_text="1").last
    expect(page.get_by_text("Jupyter news")).to_have_count(0)
    expect(output).to_be_visible(timeout=90_000)
    wait_until((hub.layout.pool.homes / "alice" / "proof.txt").exists, 60, "the cell has run")
    page.keyboard.press("Control+s")
    stop(page, hub)
    page.goto(f"{hub.url}hub/logout")
    empty(settings)

    sign_in(page, hub, "alice")
    choose(page, hub, "alice", "gpu:A100")
    page.click("#spawn_form [type=submit]")
    lab(page)
    assert node(hub, "alice") != first
    expect(page.locator(".jp-DirListing-item", has_text="proof.txt")).to_be_visible(timeout=30_000)
    expect(page.locator(".jp-DirListing-item", has_text="Untitled.ipynb")).to_be_visible(timeout=30_000)
    stop(page, hub)


def test_a_start_that_fails_leaves_nothing_broken(settings, hub, page):
    sign_in(page, hub, "carol")
    page.goto(f"{hub.url}hub/spawn/carol")
    page.evaluate("document.querySelector(\"input[name=device][value='gpu:T4']\").value = 'gpu:A900'")
    page.locator("input[name=device][value='gpu:A900']").check(force=True)
    page.click("#spawn_form [type=submit]")
    expect(page.locator("body")).to_contain_text("no node has one", timeout=30_000)
    # Hers alone: the session of the story before may still be on its way out.
    assert "carol" not in ask(settings, "admin", "condor_q", "-name", "interactive@", "-all", "-af", "Owner").split()
    choose(page, hub, "carol", "none")
    page.click("#spawn_form [type=submit]")
    lab(page)
    stop(page, hub)
