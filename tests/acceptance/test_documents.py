"""Every `console` block of the README and of the operations guide runs as it stands, in a fresh home."""

import os
import subprocess
from pathlib import Path

import pytest
from walkthrough import fences

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "docs" / "operations.md"]
BLOCK_SECONDS = 180


def commands(block: str) -> str:
    return "\n".join(line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ "))


def blocks() -> list[object]:
    found = [(document, block) for document in DOCUMENTS for block in console(document)]
    return [pytest.param(block, id=f"{document.stem}-{n}") for n, (document, block) in enumerate(found, start=1)]


def console(document: Path) -> list[str]:
    return [fence.text for fence in fences(document.read_text()) if fence.info == "console"]


def test_whatever_calls_itself_a_console_is_typed_by_a_test() -> None:
    typed = {*DOCUMENTS, *(ROOT / "docs" / "tutorial").glob("*.md")}
    assert {page for page in (ROOT / "docs").rglob("*.md") if console(page)} <= typed


@pytest.mark.parametrize("block", blocks())
def test_runs(block: str, pool_home: Path) -> None:
    environment = os.environ | {"MLINFN_HOME": str(pool_home), "MLINFN_POOL": "docs"}
    environment.pop("CONDOR_CONFIG", None)
    try:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands(block)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=BLOCK_SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        subprocess.run([ROOT / "mlinfn", "pool", "down"], env=environment, cwd=ROOT, capture_output=True)
