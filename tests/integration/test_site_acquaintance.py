"""Schedds and negotiator in pods of their own know each other for days, and tools as briefly as ever."""

import re
import shutil
import tempfile
import time
from pathlib import Path

from postgres import wait_until
from site_containers import pool

from mlinfn_condor.embedded.distribution import Distribution
from mlinfn_condor.hub.tokens import Issuer, token_file
from mlinfn_condor.hub.tokens import write as write_token

MORE = {f"_CONDOR_{daemon}_DEBUG": "D_SECURITY" for daemon in ("SCHEDD", "NEGOTIATOR")}
MORE["_CONDOR_MLINFN_BELIEVE_LISTED_TOKENS_ONLY"] = "false"
KEPT = re.compile(r"added (?:incoming )?session .* to cache for (\d+) seconds \((?:lease is )?(\d+)s")
SLOP_SECONDS = 20
"""What a daemon adds to the time of a session that it did not begin itself."""
JOB = """executable = /bin/true
request_cpus = 1
request_memory = 1
+PriorityClass = "batch"
queue
"""


def kept(log: Path) -> set[tuple[int, int]]:
    """Seconds for which sessions are kept, and how long unused; 0 is for ever."""
    return {(int(seconds), int(unused)) for seconds, unused in KEPT.findall(log.read_text())}


def test_an_empty_pool_is_no_reason_to_forget_who_the_other_is(installed: Distribution, tmp_path: Path):
    folder = Path(tempfile.mkdtemp(prefix="mlinfn-"))
    (folder / "shared").mkdir()
    (folder / "shared" / "projects.map").write_text("* alice alpha\n")
    (tmp_path / "job").write_text(JOB)
    with pool(folder, installed, **MORE) as site:
        manager, batch = site["central-manager"], site["batch"]
        seconds = int(batch.run("condor_config_val", "MLINFN_ACQUAINTED_SECONDS"))
        assert seconds > 7 * 86400, "longer than a week in which everybody is away"
        batch.probe("introduce", "batch@", "admin", seconds=20)
        issuer, now = Issuer(folder / "secrets" / "mlinfn-session-key" / "sessions", "ml.example.org"), int(time.time())
        write_token(tmp_path, issuer.token("alice", now + 600, now - 60))
        alice = site["client"].holding(token_file(tmp_path, "alice").parent)
        alice.run("condor_submit", "-name", "batch@", str(tmp_path / "job"))
        schedd, negotiator = batch.folder / "log" / "SchedLog", manager.folder / "log" / "NegotiatorLog"
        wait_until(lambda: (seconds, 0) in kept(schedd), 90, "the schedd remembers")
        wait_until(lambda: (seconds + SLOP_SECONDS, 0) in kept(negotiator), 90, "the negotiator remembers")
        others = {each for each in kept(schedd) if each[1] != 0}
        assert others, "tools have asked"
        assert max(others)[0] <= 86400 + SLOP_SECONDS
    shutil.rmtree(folder, ignore_errors=True)
