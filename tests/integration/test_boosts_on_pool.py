"""Leases of the negotiator: they survive its restart, and end by themselves."""

import subprocess
import sys
import time

import pytest
from driver import Driver, wait_until

from mlinfn_condor.pool.leases import LeaseKind, TwinLeases

ALICE = "group_batch.alpha.alice@test"


def mlinfn(driver: Driver, *words: str, user: str = "admin") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mlinfn_condor.cli", "boost", *words]
    return driver.run(*command, user=user, check=False)


def shown(driver: Driver) -> str:
    done = mlinfn(driver)
    assert done.returncode == 0, done.stderr
    return done.stdout


def since(driver: Driver) -> int:
    return max((ad["DaemonStartTime"] for ad in driver.query("condor_status", "-negotiator")), default=0)


def test_a_boost_is_shown_survives_the_negotiator_and_is_cancelled(driver):
    given = mlinfn(driver, "alpha", "--until", "+1h", "--floor", "2", "--factor", "10", "--class", "batch")
    assert given.returncode == 0, given.stderr
    assert "group_batch.alpha.alice@test  floor 2 devices" in given.stdout
    assert "group_batch.alpha.alice@test  factor 10" in given.stdout
    before = since(driver)
    driver.run("condor_restart", "-daemon", "negotiator", "-fast", user="admin")
    wait_until(lambda: since(driver) > before, 60, "a new negotiator")
    wait_until(lambda: "floor 2" in mlinfn(driver).stdout, 30, "the boost after a restart")
    assert mlinfn(driver, "alpha", "--cancel").returncode == 0
    assert shown(driver) == "nobody has a boost\n"


def test_a_boost_ends_by_itself(driver):
    assert mlinfn(driver, "beta", "--until", "+1m", "--ceiling", "1").returncode == 0
    until = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + 3))
    assert "ceiling 1 devices" in mlinfn(driver, "beta", "--until", until, "--ceiling", "1").stdout
    wait_until(lambda: mlinfn(driver).stdout == "nobody has a boost\n", 30, "its end")


@pytest.mark.parametrize(
    "words", [("alpha",), ("alpha", "--until", "+1h"), ("gamma", "--until", "+1h", "--floor", "1")]
)
def test_what_cannot_be_given_is_refused(driver, words):
    done = mlinfn(driver, *words)
    assert (done.returncode, done.stdout) == (1, "")


def test_only_administrators_give_boosts(driver):
    done = mlinfn(driver, "alpha", "--until", "+1h", "--floor", "1", user="alice")
    assert done.returncode == 1
    assert "administrators" in done.stderr
    assert shown(driver) == "nobody has a boost\n"


def test_the_twin_keeps_leases_alike():
    twin = TwinLeases()
    twin.give(ALICE, LeaseKind.FLOOR, 32, 60)
    twin.give(ALICE, LeaseKind.FLOOR, 48, 60)
    assert [(one.kind, one.value, one.before) for one in twin.in_force()] == [(LeaseKind.FLOOR, 48, 0)]
    twin.cancel(ALICE, LeaseKind.CEILING)
    twin.cancel(ALICE, LeaseKind.FLOOR)
    twin.give(ALICE, LeaseKind.CEILING, 1, 0)
    assert twin.in_force() == []
