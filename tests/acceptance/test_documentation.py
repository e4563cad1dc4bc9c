"""The documentation as a site, built as `make docs` builds it: without a warning, and with nothing left out."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BUILD_SECONDS = 120


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without the network: whatever a page shows is in it or beside it."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-E", "-n", "-W", "--keep-going", "-q"]
    done = subprocess.run(
        [*command, "-d", out / ".doctrees", DOCS, out], capture_output=True, text=True, timeout=BUILD_SECONDS
    )
    assert done.returncode == 0, done.stderr
    return out


def test_every_page_is_built_and_leads_on(site):
    """What is in no table of contents Sphinx warns of, and a warning fails the build."""
    pages = {page.relative_to(DOCS).with_suffix(".html") for page in DOCS.rglob("*.md")}
    assert {page for page in pages if not (site / page).is_file()} == set()


def test_reference_is_filled(site):
    empty = {page.name for page in (site / "reference").glob("*.html") if page.read_text().count("<tr") < 10}
    assert empty <= {"configuration.html"}
    assert "mlinfn schedule run-now" in (site / "reference" / "commands.html").read_text()


def test_links_between_pages_lead_to_pages_and_their_headings(site):
    """Sphinx looks at links of Markdown; these are those of the pages, as a browser follows them."""
    anchors = {page: {*re.findall(r'id="([^"]+)"', page.read_text())} for page in site.rglob("*.html")}
    broken = set()
    for page in anchors:
        article = re.search(r"<article.*?</article>", page.read_text(), re.DOTALL)
        for link in re.findall(r'href="([^"]+)"', article[0] if article else ""):
            target, _, heading = link.partition("#")
            if "://" in link or target.startswith("mailto:"):
                continue
            file = (page.parent / target).resolve() if target else page
            if not file.is_file() or (heading and file.suffix == ".html" and heading not in anchors[file]):
                broken.add((str(page.relative_to(site)), link))
    assert broken == set()


def test_no_page_fetches_anything_from_elsewhere(site):
    fetched = re.compile(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="((?:https?:)?//[^"]+)"')
    assert {link for page in site.rglob("*.html") for link in fetched.findall(page.read_text())} == set()
