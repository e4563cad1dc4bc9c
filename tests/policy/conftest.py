"""One evaluator per access point for the whole run."""

from collections.abc import Iterator

import pytest
from policy import Policy

from mlinfn_condor.embedded.distribution import Distribution


def _policy(tmp_path_factory: pytest.TempPathFactory, installed: Distribution, **how: str) -> Iterator[Policy]:
    policy = Policy(tmp_path_factory.mktemp("policy"), installed.bin, **how)
    yield policy
    policy.close()


@pytest.fixture(scope="session")
def batch(tmp_path_factory, installed) -> Iterator[Policy]:
    """The policy as `batch@`, the central manager and a node without a layout see it."""
    yield from _policy(tmp_path_factory, installed)


@pytest.fixture(scope="session")
def interactive(tmp_path_factory, installed) -> Iterator[Policy]:
    """The policy as `interactive@` sees it: only the hub submits."""
    yield from _policy(tmp_path_factory, installed, prefix="INTERACTIVE")


@pytest.fixture(scope="session")
def open_interactive(tmp_path_factory, installed) -> Iterator[Policy]:
    """The same where each user may start sessions of his own."""
    yield from _policy(tmp_path_factory, installed, prefix="INTERACTIVE", site="MLINFN_INTERACTIVE_SUBMITTERS = *")


@pytest.fixture(scope="session")
def with_dagman(tmp_path_factory, installed) -> Iterator[Policy]:
    """`batch@` of a site that allows DAGMan."""
    yield from _policy(tmp_path_factory, installed, site="MLINFN_ALLOW_DAGMAN = true")


@pytest.fixture(scope="session")
def patient(tmp_path_factory, installed) -> Iterator[Policy]:
    """A site where owners wait for the end of a guest's session."""
    yield from _policy(tmp_path_factory, installed, site="MLINFN_OWNER_DISPLACES_SESSIONS = false")


@pytest.fixture(scope="session")
def growing(tmp_path_factory, installed) -> Iterator[Policy]:
    """A pool whose provisioner can still add nodes with T4s, with U50s and without devices."""
    yield from _policy(tmp_path_factory, installed, site="MLINFN_GROWING_MODELS = T4,U50,bare")
