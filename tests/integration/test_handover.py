"""A session on a full pool: it starts at once, and exactly the payload on its device goes, with its window."""

from driver import Driver, Payload, wait_until

from mlinfn_condor.classes import PriorityClass

INTERACTIVE, DASK, BATCH = PriorityClass.INTERACTIVE, PriorityClass.DASK, PriorityClass.BATCH
AT_ONCE_SECONDS = 10
"""Generous: these tests check the order of events; `mlinfn bench start-latency` measures."""


def leavers(payloads: list[Payload]) -> list[Payload]:
    return [payload for payload in payloads if payload.has("asked-to-leave")]


def session(driver: Driver, **lines: object) -> Payload:
    return driver.submit(INTERACTIVE, user="bob", **lines)[0]


def test_a_session_starts_at_once_and_its_victim_uses_its_whole_window(driver: Driver) -> None:
    batch = driver.fill_devices(leave_seconds=6)
    mine = session(driver, request_gpus=1, require_gpus='DeviceModel == "A100"')

    started = mine.wait_for("started", AT_ONCE_SECONDS)
    (device,) = started.devices
    computing = mine.wait_for("computing", 40)

    (victim,) = leavers(batch)
    left = victim.wait_for("left")
    asked = victim.wait_for("asked-to-leave")
    assert "A100" in device
    assert victim.wait_for("computing").devices == (device,)
    assert left.when - asked.when >= 6
    assert started.when < left.when <= computing.when
    assert not mine.has("double-use")


def test_a_session_of_two_devices_displaces_two(driver: Driver) -> None:
    batch = driver.fill_devices()
    mine = session(driver, request_gpus=2, require_gpus='DeviceModel == "T4"')
    devices = mine.wait_for("computing", 40).devices
    assert {d for payload in leavers(batch) for d in payload.wait_for("computing").devices} == set(devices)


def test_a_session_on_an_fpga_displaces_who_holds_that_fpga(driver: Driver) -> None:
    batch = driver.fill_devices()
    mine = session(driver, request_fpgas=1, plus_RequireFPGAs='DeviceModel == "U250"')
    (device,) = mine.wait_for("computing", 40).devices
    assert "U250" in device
    assert [payload.wait_for("computing").devices for payload in leavers(batch)] == [(device,)]


def test_a_session_without_a_device_displaces_nobody(driver: Driver) -> None:
    batch = driver.fill_devices()
    mine = session(driver, request_cpus=4)
    mine.wait_for("computing", AT_ONCE_SECONDS)
    assert leavers(batch) == []


def test_a_session_with_more_cpus_than_its_victim_displaces_no_neighbour(driver: Driver) -> None:
    batch = driver.fill_devices()
    (shape,) = {slot["MlinfnDeviceCpus"] for slot in driver.slots('substr(Name, 0, 13) == "slot1@server1"')}
    mine = session(driver, request_gpus=1, request_cpus=shape, require_gpus='DeviceModel == "T4"')
    mine.wait_for("computing", 40)
    later = session(driver, request_gpus=1, request_cpus=shape, require_gpus='DeviceModel == "T4"')
    later.wait_for("computing", 40)
    assert len(leavers(batch)) == 2


def test_a_device_goes_back_to_batch_when_the_session_ends(driver: Driver) -> None:
    batch = driver.fill_devices()
    mine = session(driver, request_gpus=1, require_gpus='DeviceModel == "A30"', run_seconds=1)
    mine.wait_for("finished", 40)
    (victim,) = leavers(batch)
    resumed = victim.wait_for("computing", 60, count=2)
    assert resumed.devices == mine.wait_for("computing").devices


def test_a_model_that_the_pool_lacks_displaces_nobody(driver: Driver) -> None:
    batch = driver.fill_devices()
    mine = session(driver, request_gpus=1, require_gpus='DeviceModel == "H100"')
    other = session(driver, request_gpus=1, require_gpus='DeviceModel == "A30"')
    other.wait_for("computing", 40)
    assert not mine.has("started")
    assert len(leavers(batch)) == 1


def test_sessions_never_displace_sessions(driver: Driver) -> None:
    first = session(driver, request_gpus=1, require_gpus='DeviceModel == "A30"')
    first.wait_for("computing", AT_ONCE_SECONDS)
    second = session(driver, request_gpus=1, require_gpus='DeviceModel == "A30"')
    third = session(driver)
    third.wait_for("computing", AT_ONCE_SECONDS)
    assert not second.has("started")
    assert not first.has("asked-to-leave")
    driver.run("condor_rm", "-name", "interactive@", str(first.cluster), user="bob")
    second.wait_for("computing", 30)


def test_what_leaves_is_idle_again_and_keeps_its_id(driver: Driver) -> None:
    batch = driver.fill_devices()
    session(driver, request_gpus=1, require_gpus='DeviceModel == "A30"').wait_for("computing", 40)
    (victim,) = leavers(batch)
    constraint = f"ClusterId == {victim.cluster} && ProcId == {victim.proc}"
    (job,) = wait_until(lambda: driver.jobs(BATCH, f"{constraint} && JobStatus == 1"), 30, "victim idle")
    assert job["NumJobStarts"] == 1
