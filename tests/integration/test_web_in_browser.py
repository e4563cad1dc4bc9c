"""The window in a real browser: it follows without a reload, by keyboard, on a phone, in the dark.

`MLINFN_PICTURES=folder` keeps the screenshots.
"""

import os
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import a_browser
from metrics_site import as_reports, history
from playwright.sync_api import Browser, Page, expect
from web_stand import CountingPool, Stand, claim, node_ads, reading, stand, submit

from mlinfn_condor.errors import PoolUnavailable

PICTURES = os.environ.get("MLINFN_PICTURES")
PHONE = {"width": 360, "height": 740}
PAGES = ("", "mine", "administration", "reports", "reports/usage?since=2026-03-01&until=2026-03-04T12:00:00")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as launched:
        yield launched


@pytest.fixture(scope="module")
def shown(postgres) -> Iterator[Stand]:
    pool = CountingPool()
    for node, model, count in (("server1", "T4", 4), ("server2", "A100", 4), ("server3", "A30", 2)):
        for ad in node_ads(node, model, count):
            pool.add_slot(ad)
    for node, number, kind, user in (
        ("server1", 0, "batch", "bob"), ("server1", 1, "batch", "eve"), ("server1", 2, "interactive", "carol"),
        ("server2", 0, "dask", "dave"), ("server2", 1, "batch", "bob"), ("server2", 2, "interactive", "alice"),
        ("server3", 0, "batch", "eve"),
    ):  # fmt: skip
        pool.add_slot(claim(node, number, kind, user, JobStart=0, EnteredCurrentState=pool.now))
    broken = [reading("GPU-server3-1", "A30", 100, 0, 0, 30, Health="broken", Reason="fell off the bus")]
    pool.change("slot1@server3@host", DeviceReadings=broken)
    submit(pool)
    submit(pool, user="boss", Project="gamma")
    submit(pool, user="boss", HoldReason="the input file is gone", Project="gamma")
    with history(postgres) as dsn, stand([], pool=pool, dsn=lambda: as_reports(dsn)) as ready:
        yield ready


@pytest.fixture
def opened(browser: Browser, shown: Stand) -> Iterator[Callable[..., Page]]:
    contexts = []

    def opened(path: str = "", *, user: str = "boss", **options) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1200, "height": 850}} | options))
        contexts.append(context)
        context.add_cookies([{"name": "test-user", "value": user, "url": shown.url}])
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on(
            "request", lambda asked: asked.url.startswith((shown.url, "data:")) or page.complaints.append(asked.url)
        )
        page.goto(f"{shown.url}{path}")
        return page

    yield opened
    for context in contexts:
        context.close()


def keep(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/web-{name}.png", full_page=True)


def test_it_follows_by_itself_and_keeps_what_did_not_change(opened, shown):
    page = opened()
    expect(page.locator("html")).to_have_attribute("data-live", "yes")
    expect(page.locator("#node-server2")).to_contain_text("session, alice")
    page.evaluate("document.getElementById('node-server1').dataset.untouched = 'yes'; window.stayed = true")
    shown.pool.add_slot(claim("server2", 1, "interactive", "dora"))
    expect(page.locator("#node-server2")).to_contain_text("hand-over, dora")
    expect(page.get_by_role("log")).to_contain_text("batch of bob saves its state and goes, dora comes")
    keep(page, "pool")
    assert page.evaluate("window.stayed")
    expect(page.locator("#node-server1")).to_have_attribute("data-untouched", "yes")
    assert page.complaints == []


def test_a_source_that_is_away_is_told_while_one_looks(opened, shown):
    page = opened()
    shown.pool.queues_away = PoolUnavailable("batch@ did not answer")
    try:
        expect(page.get_by_text("The schedd does not answer")).to_be_visible()
        expect(page.locator("#ages")).to_contain_text("away")
    finally:
        shown.pool.queues_away = None
    expect(page.get_by_text("The schedd does not answer")).to_have_count(0, timeout=15000)


def test_it_connects_again_and_has_what_it_missed(opened, shown):
    page = opened()
    expect(page.locator("html")).to_have_attribute("data-live", "yes")
    # The stream's end: the browser connects again by itself, and says what it had.
    shown.window.live.hang_up()
    expect(page.locator("html")).to_have_attribute("data-live", "no")
    shown.pool.add_slot(claim("server1", 3, "interactive", "frida"))
    expect(page.locator("#node-server1")).to_contain_text("session, frida", timeout=15000)


def test_the_log_and_the_reason_of_a_job_come_into_the_page(opened):
    page = opened("mine")
    page.get_by_role("link", name="Why batch@2.0").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#told")).to_contain_text("Why batch@2.0")
    keep(page, "mine")
    assert page.url.endswith("/mine")
    assert page.complaints == []


def test_a_job_is_stopped_after_a_question(opened, shown):
    page = opened("mine")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Stop batch@3.0").click()
    expect(page.locator("#told")).to_contain_text("was told to stop")
    expect(page.locator("#my-jobs")).not_to_contain_text("batch@3.0", timeout=15000)
    assert {str(job.id) for job in shown.pool.jobs()} >= {"batch@1.0", "batch@2.0"}


def test_the_keyboard_leads_past_the_navigation(opened):
    page = opened()
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_a_report_has_a_plot_and_the_rows_behind_a_row(opened):
    page = opened(PAGES[-1])
    expect(page.get_by_role("img").first).to_be_visible()
    page.locator("summary").first.click()
    expect(page.get_by_text("Read with").first).to_be_visible()
    keep(page, "report")
    page.get_by_role("rowheader").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="What makes")).to_be_visible()
    assert page.complaints == []


@pytest.mark.parametrize("path", PAGES, ids=["pool", "mine", "administration", "reports", "report"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible(opened, path, scheme):
    page = opened(path, color_scheme=scheme)
    keep(page, f"{path.partition('?')[0].replace('/', '-') or 'pool'}-{scheme}")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("path", PAGES, ids=["pool", "mine", "administration", "reports", "report"])
def test_it_fits_a_phone(opened, path):
    page = opened(path, viewport=PHONE, color_scheme="dark")
    keep(page, f"{path.partition('?')[0].replace('/', '-') or 'pool'}-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
