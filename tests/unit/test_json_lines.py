"""Lines that several writers append to one file stay whole, and one that did not fit is told."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from mlinfn_condor import json_lines

WRITER = """
import sys
from pathlib import Path
from mlinfn_condor import json_lines
print(flush=True)
sys.stdin.readline()
for number in range(200):
    json_lines.append(Path(sys.argv[1]), {"who": sys.argv[2], "number": number, "filler": sys.argv[2] * 20_000})
"""


def test_lines_of_several_writers_do_not_mix(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, file, who], **pipes) for who in "abc"]
    for writer in writers:
        writer.stdout.readline()
    for writer in writers:
        writer.stdin.close()  # All begin now.
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for who in "abc":
        assert [line["number"] for line in lines if line["who"] == who] == list(range(200))
    assert all(line["filler"] == line["who"] * 20_000 for line in lines)


def test_what_others_may_not_read_and_a_line_break_inside(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    json_lines.append(file, {"reason": 'no "slot"\nhas it'})
    assert file.read_text() == '{"reason":"no \\"slot\\"\\nhas it"}\n'
    assert file.stat().st_mode & 0o007 == 0


def test_a_line_that_did_not_fit_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(OSError, match="No space left"):
            json_lines.append(file, {"long": "x" * 100})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
