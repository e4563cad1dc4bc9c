"""Services beside the hub that cannot begin say why in one line."""

from importlib import import_module

import pytest

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
