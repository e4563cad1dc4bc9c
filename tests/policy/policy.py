"""The shipped policy, read by HTCondor's own parser, evaluated and transformed by its own engines; no daemon runs."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from mlinfn_condor.shipped import shipped

FOLDER = shipped("condor_config.d")
GLIDEIN_FOLDER = shipped("glidein") / "config.d"
DOMAIN = "demo"
SITE = "MLINFN_PROJECT_GROUPS = group_batch.alpha, group_batch.beta\n"
MEMBERS = "* alice alpha,beta\n* bob beta\n* hub alpha\n"
ROOT = """\
LOCAL_DIR = {folder}
LOG = {folder}/log
SPOOL = {folder}/spool
RUN = {folder}/run
LOCK = {folder}/lock
ETC = {folder}/etc
BIN = /usr/bin
SBIN = /usr/sbin
LOCAL_CONFIG_DIR = {policy}
LOCAL_CONFIG_FILE = {folder}/site.conf
UID_DOMAIN = {domain}
MLINFN_LIBEXEC = {folder}/libexec
"""


class Expression(str):
    """ClassAd text that is not quoted when it is put into an ad."""


Ad = Mapping[str, object]


def ad_text(ad: Ad) -> str:
    """An ad in HTCondor's long form."""
    return "\n".join(
        f"{name} = {value if isinstance(value, Expression) else json.dumps(value)}" for name, value in ad.items()
    )


class Policy:
    """The policy as one daemon sees it; `prefix` is the daemon's local name, `site` what comes after the policy."""

    def __init__(
        self, folder: Path, bin_folder: Path, *, prefix: str = "", site: str = "", glidein: bool = False
    ) -> None:
        self._folder, self._bin = folder, bin_folder
        (folder / "etc").mkdir(parents=True)
        (folder / "etc/projects.map").write_text(MEMBERS)
        policy = f"{FOLDER}, {GLIDEIN_FOLDER}" if glidein else str(FOLDER)
        (folder / "condor_config").write_text(ROOT.format(folder=folder, policy=policy, domain=DOMAIN))
        (folder / "site.conf").write_text(SITE + site)
        self._worker = self._start()
        if prefix:
            # What a prefix means: these values instead of the plain ones. A real daemon shows it in tests/integration.
            own = {n: self.raw(n) for n in self.names() if n.upper().startswith(f"{prefix.upper()}.")}
            self.close()
            lines = [f"{name.partition('.')[2]} = {text}" for name, text in own.items()]
            (folder / "site.conf").write_text("\n".join([SITE, *lines, site, ""]))
            self._worker = self._start()

    def _environment(self) -> dict[str, str]:
        maps = {f"_CONDOR_{tool}_CLASSAD_USER_MAP_NAMES": "MlinfnProjects" for tool in ("TOOL", "XFORM")}
        return os.environ | maps | {"CONDOR_CONFIG": str(self._folder / "condor_config")}

    def _start(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, Path(__file__).with_name("evaluator.py")],
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        self._worker.stdin.close()
        self._worker.wait()
        self._worker.stdout.close()

    def _ask(self, **question: object) -> object:
        self._worker.stdin.write(json.dumps(question) + "\n")
        self._worker.stdin.flush()
        line = self._worker.stdout.readline()
        assert line, f"the evaluator died of {question}"
        return json.loads(line)

    def names(self) -> list[str]:
        return self._ask(names=True)

    def raw(self, name: str) -> str:
        return str(self._ask(knob=name))

    def knob(self, name: str) -> str | None:
        found = self._ask(knob=name)
        return None if found is None else str(found)

    def words(self, name: str) -> list[str]:
        return (self.knob(name) or "").replace(",", " ").split()

    def evaluate(self, expression: str, my: Ad = {}, target: Ad = {}, **nested: Ad) -> object:  # noqa: B006
        """The value of an expression; `nested` ads are known by their name, as JOB is in submit requirements."""
        texts = {name: ad_text(ad) for name, ad in nested.items()}
        return self._ask(expression=expression, my=ad_text(my), target=ad_text(target), nested=texts)

    def described(self, submit: str) -> dict[str, object]:
        """The job that condor_submit makes of a submit description."""
        file = self._folder / "job.sub"
        file.write_text(submit)
        done = subprocess.run(
            [self._bin / "condor_submit", "-dry-run", "-", file],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        lines = [line.partition("=") for line in done.stdout.splitlines() if "=" in line]
        return {name.strip(): Expression(text.strip()) for name, _, text in lines}

    def transform(self, job: Ad) -> dict[str, object]:
        """The job after every job transform of the policy, in their order."""
        names = [name for name in self.words("JOB_TRANSFORM_NAMES") if name.startswith("Mlinfn")]
        done = subprocess.run(
            [self._bin / "condor_transform_ads", "-jobtransforms", ",".join(names), "-out:json", "-", "-"],
            input=ad_text(job) + "\n\n",
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        # Its exit status is 1 even when all is well.
        assert done.stdout, done.stderr
        (transformed,) = json.loads(done.stdout[done.stdout.index("[") :])
        return {name: unquoted(value) for name, value in transformed.items()}

    def refusal(self, job: Ad) -> str | None:
        """Why the access point refuses this job, in its words; None when it takes it."""
        transformed = self.transform(job)
        for name in self.words("SUBMIT_REQUIREMENT_NAMES"):
            verdict = self.evaluate(self.knob(f"SUBMIT_REQUIREMENT_{name}"), JOB=transformed)
            assert verdict in (True, False), f"{name} is {verdict}, which HTCondor answers without a reason"
            if not verdict:
                return str(self.evaluate(self.knob(f"SUBMIT_REQUIREMENT_{name}_REASON"), JOB=transformed))
        return None


def unquoted(value: object) -> object:
    """HTCondor writes expressions in JSON as "\\/Expr(…)\\/"."""
    if isinstance(value, str) and value.startswith("/Expr(") and value.endswith(")/"):
        return Expression(value[len("/Expr(") : -len(")/")])
    return Expression("undefined") if value is None else value
