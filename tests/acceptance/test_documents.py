"""Every `console` block of the README and of the operations guide runs as it stands, in a fresh home."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "docs" / "operations.md"]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
BLOCK_SECONDS = 180


def commands(block: str) -> str:
    return "\n".join(line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ "))


def blocks() -> list[object]:
    found = [(document, block) for document in DOCUMENTS for block in BLOCK.findall(document.read_text())]
    return [pytest.param(block, id=f"{document.stem}-{n}") for n, (document, block) in enumerate(found, start=1)]


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
