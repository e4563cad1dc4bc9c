"""A real browser for stories that are told in one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, expect, sync_playwright

SYSTEMS = ("/usr/bin/chromium", "/usr/bin/google-chrome")
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 30_000
"""For what a page is expected to show; a busy machine draws late."""


@contextmanager
def a_browser() -> Iterator[Browser]:
    """The system's, or playwright's own, with a home of its own. A skip on a laptop without one, a failure in CI."""
    system = next((path for path in SYSTEMS if Path(path).exists()), None)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as home:
        try:
            browser = driver.chromium.launch(
                executable_path=system, args=list(OPTIONS), env={**os.environ, "HOME": home}
            )
        except Error as error:
            if os.environ.get("MLINFN_REQUIRE_DAEMONS"):
                pytest.fail(f"no browser: install Debian's package chromium: {error}")
            pytest.skip(f"no browser: {error}")
        try:
            yield browser
        finally:
            browser.close()
