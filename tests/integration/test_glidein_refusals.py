"""A glidein that cannot start or join says why, in words and by its exit code, and leaves nothing."""

import os
import time

import pytest
from driver import Driver
from glideins import glidein, seconds_since

from mlinfn_condor.embedded import ports
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.glidein.outcome import Exit


@pytest.fixture(scope="module")
def bare(bare_pool: RunningPool, tmp_path_factory: pytest.TempPathFactory) -> Driver:
    """No job ever gets into the queue here, so none has to be cleared away."""
    return Driver(bare_pool, tmp_path_factory.mktemp("refusals"))


def test_devices_that_it_should_have_and_has_not(bare):
    with glidein(bare, "poor", devices="T4:3") as one:
        assert one.ended() is Exit.STARTUP
        assert "should have 3 T4 and has 2 T4" in one.words()["detail"]


def test_devices_of_the_machine_when_nothing_simulates_them(bare):
    with glidein(bare, "bare", devices="T4:1", description=None) as one:
        assert one.ended() is Exit.STARTUP
        assert "should have 1 T4 and has no device in view" in one.words()["detail"]


def test_orders_that_are_wrong_are_told_all_at_once(bare):
    with glidein(bare, "wrong", warm="maybe", collector=None, tokens="/nowhere", idl_seconds="5") as one:
        assert one.ended() is Exit.STARTUP
        detail = one.words()["detail"]
        for mistake in (
            "WARM=maybe: say true or false",
            "COLLECTOR is not set",
            "TOKENS=/nowhere",
            "IDL_SECONDS is not",
        ):
            assert mistake in detail


def test_a_site_file_that_cannot_be_read(bare, tmp_path):
    (tmp_path / "broken.conf").write_text("use ROLE : Nonsense\n")
    with glidein(bare, "misread", site_config=tmp_path / "broken.conf") as one:
        assert one.ended() is Exit.STARTUP
        assert "configuration" in one.words()["detail"]


def test_a_collector_that_is_not_there(bare, tmp_path):
    nobody = f"127.0.0.1:{ports.choose(tmp_path / 'port')}"
    began = time.monotonic()
    with glidein(bare, "lonely", collector=nobody, join_seconds=2) as one:
        assert one.ended() is Exit.JOIN
        assert seconds_since(began) < 20
        assert "did not take it within 2 s" in one.words()["detail"]


def test_a_token_of_another_pool(bare, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.mkdir(mode=0o700)
    descriptor = os.open(tokens / "glidein", os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(
        descriptor, b"eyJhbGciOiJIUzI1NiIsImtpZCI6IlBPT0wifQ.eyJpc3MiOiJiYXJlIiwic3ViIjoiZ2xpZGVpbkBiYXJlIn0.AAAA\n"
    )
    os.close(descriptor)
    with glidein(bare, "stranger", tokens=tokens, join_seconds=3) as one:
        assert one.ended() is Exit.JOIN


@pytest.mark.parametrize("user", ["alice"])
def test_a_token_that_may_not_advertise_slots(bare, user):
    with glidein(bare, "user", tokens=bare.pool.layout.tokens_of(user), join_seconds=3) as one:
        assert one.ended() is Exit.JOIN
        assert not one.slots()


def test_a_work_folder_with_something_in_it_is_left_alone(bare, tmp_path):
    (tmp_path / "precious").write_text("mine")
    with glidein(bare, "careful", work=tmp_path) as one:
        assert Exit(one.process.wait(30)) is Exit.STARTUP
        assert (tmp_path / "precious").read_text() == "mine"
