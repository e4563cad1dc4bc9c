"""Services beside the hub that cannot begin say why in one line."""

import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from mlinfn_condor.hub import window
from mlinfn_condor.hub.accounts.service import service as accounts
from mlinfn_condor.hub.culling.service import service as culling
from mlinfn_condor.hub.hubs_child import end_with_the_hub

SECONDS = 60
SERVICES = ["mlinfn_condor.hub.accounts", "mlinfn_condor.hub.culling", "mlinfn_condor.web"]


@pytest.fixture(params=SERVICES)
def main(request, monkeypatch):
    for name in ("JUPYTERHUB_API_URL", "JUPYTERHUB_API_TOKEN", "JUPYTERHUB_SERVICE_URL"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: object) -> object:
        monkeypatch.setattr("sys.argv", [request.param, *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            import_module(f"{request.param}.__main__").main()
        return ended.value.code

    return run


@pytest.fixture
def settings(tmp_path):
    file = tmp_path / "hub.toml"
    file.write_text(
        f'name = "hub"\nfolder = "{tmp_path}"\n[tokens]\nkey_file = "/k"\ntrust_domain = "d"\n'
        '[membership]\nmap_file = "/m"\nprojects = ["ai"]\n'
    )
    return file


def test_settings_that_are_not_there_are_named(main, tmp_path):
    assert str(tmp_path / "none.toml") in str(main("--settings", tmp_path / "none.toml"))


def test_who_starts_one_by_hand_reads_that_the_hub_does(main, settings):
    assert "is not set: JupyterHub starts this service" in str(main("--settings", settings))


def test_no_settings_are_a_usage(main, capsys):
    assert main() == 2
    assert "--settings" in capsys.readouterr().err


def test_all_that_the_hub_starts_are_told_who_it_is():
    entries = [
        accounts(Path("hub.toml")),
        culling(Path("hub.toml")),
        window.service(Path("hub.toml"), "https://[::1]:9"),
    ]
    assert [entry["environment"]["MLINFN_HUB_PID"] for entry in entries] == [str(os.getpid())] * 3


def test_one_whose_hub_is_gone_before_it_began_does_not_begin():
    with pytest.raises(SystemExit) as ended:
        end_with_the_hub({"MLINFN_HUB_PID": str(os.getpid())})  # our parent is another
    assert ended.value.code == "the hub is gone"
    end_with_the_hub({})


def test_a_hub_that_is_killed_leaves_nobody_behind():
    stays = (
        "import os, signal; from mlinfn_condor.hub.hubs_child import end_with_the_hub; end_with_the_hub(os.environ); "
    )
    stays += "print(os.getpid(), flush=True); signal.pause()"
    hub = "import os, subprocess, sys; from mlinfn_condor.hub.hubs_child import told; "
    hub += f"subprocess.run([sys.executable, '-c', {stays!r}], env=os.environ | told())"
    with subprocess.Popen([sys.executable, "-c", hub], stdout=subprocess.PIPE, text=True) as process:
        assert int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        # The pipe ends when the last one that writes into it has ended.
        assert process.communicate(timeout=SECONDS)[0] == ""
