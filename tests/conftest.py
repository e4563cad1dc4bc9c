"""What all tests share: the versions in the header, blind unit tests, and one real pool for those that need it."""

import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import hypothesis
import pytest
from homes import a_home
from s3 import restic_program, s3  # noqa: F401 - fixtures

from mlinfn_condor.embedded import distribution, lifecycle
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.errors import InstallFailed
from mlinfn_condor.settings import Settings

LOG_TAIL_LINES = 25
SHARED: list[RunningPool] = []
"""The pool of this run, while it is up."""
OTHERS_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root is several users: make test-as-root")
hypothesis.settings.load_profile("ci")  # everywhere: the same examples each time, however long a busy machine takes


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.get_closest_marker("root"):
        item.add_marker(OTHERS_ONLY)


def pytest_report_header() -> str:
    found = distribution.find(Settings())
    return f"HTCondor {found.version if found else 'not installed'}, bindings {version('htcondor')}"


@pytest.fixture(scope="session")
def no_pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty configuration. Not ONLY_ENV: bindings once imported with that never read a configuration again."""
    (empty := tmp_path_factory.mktemp("no-pool") / "condor_config").write_text("")
    return empty


@pytest.fixture(autouse=True)
def _blinded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, no_pool: Path) -> None:
    """No test sees a pool of this machine that it did not ask for."""
    monkeypatch.setenv("CONDOR_CONFIG", str(no_pool))
    for name in [name for name in os.environ if name.startswith(("_CONDOR_", "MLINFN_"))]:
        if name not in {"MLINFN_HOME", "MLINFN_REQUIRE_DAEMONS"}:
            monkeypatch.delenv(name)
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def installed() -> distribution.Distribution:
    """HTCondor's programs; installed if missing. A skip on a laptop that cannot, a failure in CI."""
    try:
        return distribution.ensure(Settings())
    except InstallFailed as error:
        if os.environ.get("MLINFN_REQUIRE_DAEMONS"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def pool_home(installed: distribution.Distribution) -> Iterator[Path]:
    """A folder of this test run's own for pools."""
    with a_home() as home:
        yield home


@pytest.fixture(scope="session")
def running_pool(pool_home: Path) -> Iterator[RunningPool]:
    """The embedded pool with its two nodes, for the whole run."""
    settings = Settings(home=pool_home, pool="test")
    pool = lifecycle.up(settings)
    SHARED.append(pool)
    yield pool
    SHARED.clear()
    lifecycle.down(settings, graceful_seconds=0)


def _asked_for(item: pytest.Item) -> set[str]:
    request = getattr(item, "_request", None)
    return set(getattr(request, "_fixture_defs", {})) | set(getattr(item, "fixturenames", ()))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()
    # Not its arguments alone: contracts ask for the pool when they know that theirs is the real one.
    for pool in SHARED if report.failed and "running_pool" in _asked_for(item) else ():
        for log in sorted(pool.layout.log.glob("*Log*")):
            tail = log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
            report.sections.append((f"tail of {log.name}", "\n".join(tail)))
