"""The endpoint beside a real pool: what the collector says, asked by the process that a site would run."""

import pytest
from driver import Driver, wait_until
from metrics_site import figures

from mlinfn_condor.accounting.metrics.exporter import exporter_of_site
from mlinfn_condor.accounting.settings import AccountingSettings
from mlinfn_condor.store import StoreUnreachable


def test_devices_and_fair_share_come_from_the_collector(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_database() -> str:
        raise StoreUnreachable("none here")

    def find_pool() -> None:
        for name, value in driver.pool.environment("alice").items():
            monkeypatch.setenv(name, value)

    settings = AccountingSettings(metrics_keep_seconds=0, metrics_patience_seconds=20)
    exporter = exporter_of_site(settings, no_database, find_pool, users=False)

    def complete() -> dict[str, dict[tuple[str, ...], float]] | None:
        told = figures(exporter.collect())
        return told if told.get("mlinfn_device_energy_joules_total") else None

    told = wait_until(complete, 90, "readings of devices")
    assert told["mlinfn_up"] == {("database",): 0, ("pool",): 1}
    assert set(told["mlinfn_device_broken"].values()) == {0}
    assert ("group_batch",) in told["mlinfn_effective_priority"]
    assert not [who for (who,) in told["mlinfn_effective_priority"] if "@" in who]
