"""The command line, over the twin."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from small_pool import FIRST, NODE
from typer.testing import CliRunner

from mlinfn_condor.cli import app, connection, main
from mlinfn_condor.cli.connection import Connection, choose
from mlinfn_condor.cli.progress import RichReport
from mlinfn_condor.embedded import lifecycle
from mlinfn_condor.errors import BadRequest, EmbeddedPoolError, JobHeld, JobNotFound, PoolUnavailable, UserError
from mlinfn_condor.pool.twin import TwinPool
from mlinfn_condor.session import folder as session_folder
from mlinfn_condor.session.folder import Server, SessionFolder


@pytest.fixture
def pool(monkeypatch, tmp_path):
    twin = TwinPool([slot.ad for slot in NODE])
    monkeypatch.setattr(connection, "connect", lambda: Connection(twin, tmp_path))
    monkeypatch.chdir(tmp_path)
    return twin


def run(*words):
    return CliRunner().invoke(app, list(words), catch_exceptions=False).stdout


def test_training_takes_the_words_after_the_options_as_the_command(pool):
    out = run("submit", "training", "--gpus", "1", "--model", "A100", "--window", "60", "python", "t.py", "--cpus", "9")
    assert out.startswith("batch@1.0")
    (job,) = pool.jobs()
    assert job.ad["Arguments"] == '"python t.py --cpus 9"'
    assert (job.cpus, job.window_seconds, job.ad["RequireGPUs"]) == (1, 60, 'DeviceModel == "A100"')


@pytest.mark.parametrize("kind", [("training",), ("session", "--no-wait")])
def test_what_no_node_can_run_is_submitted_and_the_slip_is_said_at_once(pool, kind):
    words = ["submit", *kind, "--gpus", "1", "--model", "A1000", *(["./train"] if kind == ("training",) else [])]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert (done.exit_code, len(pool.jobs())) == (0, 1)
    assert done.stderr.startswith("No node can run it as it is: it asks 1 A1000, but no node has one: the pool's GPU")
    assert "A1000" not in done.stdout


@pytest.mark.parametrize("kind", ["training", "sweep"])
def test_an_image_that_no_node_can_run_is_said_at_once(pool, kind, tmp_path):
    (tmp_path / "runs.csv").write_text("rate\n1\n")
    words = [
        "submit",
        kind,
        *(["runs.csv"] if kind == "sweep" else []),
        "--image",
        "/srv/image",
        "--",
        "./train",
        "{rate}",
    ]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert (done.exit_code, len(pool.jobs())) == (0, 1)
    assert done.stderr.startswith("No node can run it as it is: it asks to run in an image, but no node")


def test_what_a_node_can_run_is_submitted_without_a_word_and_so_it_is_when_nobody_can_tell(pool, monkeypatch):
    def submitted() -> str:
        return CliRunner().invoke(app, ["submit", "training", "--gpus", "1", "./train"], catch_exceptions=False).stderr

    assert submitted() == ""

    def away(*_):
        raise PoolUnavailable("the collector does not answer")

    monkeypatch.setattr(pool, "slots", away)
    assert submitted() == ""
    assert len(pool.jobs()) == 2


def test_dask_workers_are_submitted_with_their_scheduler(pool):
    run("submit", "dask-worker", "--scheduler", "tcp://node:8786", "--workers", "2", "--fpgas", "1")
    assert [job.priority_class.value for job in pool.jobs()] == ["dask", "dask"]
    assert "tcp://node:8786" in pool.jobs()[0].ad["Arguments"]


def test_a_sweep_is_a_job_for_each_row_and_says_which_is_which(pool, tmp_path):
    (tmp_path / "runs.csv").write_text("\ufeffrate,depth\r\n0.1,3\r\n0.2,4\r\n", encoding="utf-8")
    out = run("submit", "sweep", "runs.csv", "--gpus", "1", "--", "train", "--rate", "{rate}", "--as", "{row}")
    assert out == "batch@1.0 to .1    rows 1 to 2\n"
    assert [job.ad["Arguments"] for job in pool.jobs()] == ['"train --rate 0.1 --as 1"', '"train --rate 0.2 --as 2"']
    assert {job.ad["RequestGPUs"] for job in pool.jobs()} == {1}


def test_a_sweep_whose_table_is_not_there_says_so(pool):
    with pytest.raises(UserError, match=r"runs.csv cannot be read \(No such file"):
        run("submit", "sweep", "runs.csv", "--", "train", "{rate}")


def ended(pool, exit_code=0):
    """A pool whose jobs end as soon as they are submitted."""
    submit = pool.submit

    def submitted(*given):
        first = submit(*given)
        for job in pool.jobs():
            pool.start(job.id)
            pool.finish(job.id, exit_code)
        return first

    pool.submit = submitted


def watched(*words):
    """Exit code and what was told on stderr."""
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.stderr


@pytest.mark.parametrize("code", [0, 3])
def test_a_watched_training_ends_with_its_exit_code(pool, code):
    ended(pool, code)
    assert watched("submit", "training", "--watch", "true") == (
        code,
        f"completed\nbatch@1.0 completed, exit code {code}\n",
    )
    assert watched("watch", "1")[0] == code


def test_a_watched_sweep_counts_its_jobs(pool, tmp_path):
    ended(pool)
    (tmp_path / "runs.csv").write_text("rate\n1\n2\n")
    code, told = watched("submit", "sweep", "runs.csv", "--watch", "--", "train", "{rate}")
    assert (code, told.splitlines()[-1]) == (0, "batch@1.0 2 of 2 done, exit code 0")


def test_a_watched_job_on_hold_ends_the_watch_and_not_the_job(pool):
    run("submit", "training", "true")
    pool.hold(pool.jobs()[0].id, "out of memory")
    with pytest.raises(JobHeld, match=r"out of memory.*mlinfn watch batch@1.0"):
        run("watch", "1.0")
    assert pool.jobs()


def test_who_stops_watching_leaves_the_job_alone_and_is_told_how_to_watch_on(pool, monkeypatch):
    def interrupted(_submits):
        yield []
        signal.raise_signal(signal.SIGINT)
        yield []

    monkeypatch.setattr(pool, "follow", interrupted)
    code, told = watched("submit", "training", "--watch", "true")
    assert (code, told.splitlines()[-1]) == (
        130,
        "not watched any more, and it goes on: `mlinfn watch batch@1` watches on",
    )
    assert [job.state.value for job in pool.jobs()] == ["idle"]


def test_json_names_the_job(pool):
    assert json.loads(run("submit", "training", "--json", "true")) == {"job": "batch@1.0"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cpus", "0", "--memory-mb", "-5", "true"], "cpus is 0.*memory_mb is -5"),
        (["--gpus", "1", "--fpgas", "1", "true"], "one kind"),
        (["--model", "A100", "true"], "how many"),
        (["echo", "$ENV(SECRET)"], "expanded by HTCondor"),
    ],
)
def test_a_bad_request_says_how_to_ask_and_submits_nothing(pool, words, said):
    with pytest.raises(BadRequest, match=said):
        run("submit", "training", *words)
    assert pool.jobs() == []


def test_a_session_is_submitted_with_a_private_folder_in_the_home(pool, tmp_path):
    told = json.loads(run("submit", "session", "--no-wait", "--json", "--gpus", "1"))
    assert told["job"] == "interactive@1.0"
    assert Path(told["folder"]).is_relative_to(tmp_path)
    assert SessionFolder(Path(told["folder"])).token_file.stat().st_mode & 0o777 == 0o600


def test_no_ad_holds_the_token(pool):
    told = json.loads(run("submit", "session", "--no-wait", "--json"))
    token = SessionFolder(Path(told["folder"])).token()
    assert token not in repr(pool.jobs()[0].ad)


def test_a_session_is_waited_for_until_it_answers(pool, monkeypatch, tmp_path):
    server = Server("http://127.0.0.1:8888/", 8888, 1, "server2", "1.0", [], 0.0)
    monkeypatch.setattr(SessionFolder, "server", lambda self: server if pool.jobs() else None)
    monkeypatch.setattr(session_folder, "answers", lambda server, token: True)
    told = json.loads(run("submit", "session", "--json"))
    assert told["url"] == f"http://127.0.0.1:8888/lab?token={SessionFolder(Path(told['folder'])).token()}"


def test_waiting_for_a_session_stops_when_it_is_held(pool, monkeypatch):
    submit = pool.submit

    def submit_and_hold(*how):
        job = submit(*how)
        pool.hold(job, "no room on the disk")
        return job

    monkeypatch.setattr(pool, "submit", submit_and_hold)
    with pytest.raises(JobHeld, match="no room on the disk"):
        run("submit", "session", "--patience", "60")


def test_status_shows_that_devices_are_simulated(pool):
    assert "A100 (simulated)" in run("status")


def test_status_as_json_has_the_three_tables(pool):
    run("submit", "training", "true")
    told = json.loads(run("status", "--json"))
    assert {row["priority_class"]: row["idle"] for row in told["classes"]} == {"interactive": 0, "dask": 0, "batch": 1}
    assert told["devices"][0]["total"] == 2
    assert told["jobs"][0]["user"] == "alice"


def test_why_answers_in_words_and_as_json(pool):
    run("submit", "training", "--gpus", "3", "--model", "A100", "true")
    assert "at most 2 together" in run("why", "1.0")
    assert json.loads(run("why", "batch@1.0", "--json"))["job"] == "batch@1.0"


def test_why_of_an_ended_job_looks_into_the_history(pool):
    run("submit", "training", "true")
    (job,) = pool.jobs()
    pool.start(job.id, devices=FIRST)
    pool.finish(job.id, exit_code=3)
    assert "exit code 3" in run("why", "1")


def test_why_of_an_unknown_job_says_where_it_looked(pool):
    with pytest.raises(JobNotFound, match="batch@"):
        run("why", "77.0")


def test_logs_prints_the_ends_of_the_files_that_are_there(pool, tmp_path):
    run("submit", "training", "true")
    (tmp_path / "training.1.0.out").write_text("".join(f"line {number}\n" for number in range(100)))
    printed = run("logs", "1.0", "-n", "2")
    assert printed.endswith("line 98\nline 99\n")
    assert "line 97" not in printed


def test_env_prints_what_a_shell_can_evaluate(monkeypatch):
    awkward = "it's $HOME; `date`"
    monkeypatch.setattr(lifecycle, "environment", lambda settings, user: {"CONDOR_CONFIG": awkward, "WHO": str(user)})
    shell = subprocess.run(
        ["bash", "-c", f'{run("pool", "env", "--user", "bob")}\nprintf %s "$CONDOR_CONFIG|$WHO"'],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shell.stdout == f"{awkward}|bob"


def test_naming_a_pool_wins_over_the_configuration_of_another(monkeypatch):
    monkeypatch.setenv("CONDOR_CONFIG", "/of/another/pool")
    monkeypatch.setenv("MLINFN_POOL", "another")
    choose("mine", None)
    assert os.environ["MLINFN_POOL"] == "mine"
    assert "CONDOR_CONFIG" not in os.environ


def test_without_a_pool_a_command_says_how_to_get_one(monkeypatch):
    monkeypatch.delenv("CONDOR_CONFIG")
    monkeypatch.setenv("MLINFN_HOME", "/nonexistent")
    with pytest.raises(EmbeddedPoolError, match="mlinfn pool up"):
        run("status")


def test_an_error_is_one_line_on_stderr_and_exit_code_1(pool, monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "argv", ["mlinfn", "why", "nonsense"])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    assert ended.value.code == 1
    assert captured.err.startswith("mlinfn: 'nonsense' is no job")
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_root_is_refused_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(sys, "argv", ["mlinfn", "status"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err.startswith("mlinfn: HTCondor runs no jobs of root")


def test_help_imports_nothing_heavy():
    script = (
        "import sys; sys.argv = ['mlinfn', '--help']\n"
        "from mlinfn_condor.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'htcondor2', 'classad2', 'pydantic', 'jupyter_server', 'distributed', 'numpy'} & {*sys.modules}\n"
        "print(heavy, file=sys.stderr)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stderr == "set()\n"
    assert "submit" in told.stdout


@pytest.mark.parametrize("words", [["submit", "training"], ["submit", "session"], ["submit", "dask-worker"]])
def test_help_gives_an_example(words):
    assert "Example: mlinfn submit" in run(*words, "--help")


def test_progress_is_told_on_stderr_and_a_failed_step_is_not_called_done(capsys):
    report = RichReport()
    with report.step("unpack", total=10, unit="B") as step:
        step.advance(10)
    with pytest.raises(RuntimeError), report.step("relocate"):
        raise RuntimeError
    captured = capsys.readouterr()
    assert "unpack" in captured.err
    assert "relocate" not in captured.err
    assert captured.out == ""
