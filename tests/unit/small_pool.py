"""Ads of a small pool as its startds and access points would tell them, to be put together by tests."""

from mlinfn_condor.pool import Job, Priority, Slot
from mlinfn_condor.submission.snapshot import Snapshot

NOW = 1_800_000_000
HOUR_AGO = NOW - 3600


def device_ads(node, model, count, kind="GPUs", simulated=True):
    ids = [f"{kind[:-1]}-{node}-{model}-{number}" for number in range(count)]
    described = {
        f"{kind}_{one.replace('-', '_')}": {"Id": one, "DeviceModel": model, "Simulated": simulated} for one in ids
    }
    return described | {f"Assigned{kind}": ",".join(ids)}


def partitionable(name, offer, devices=None, **ad):
    base = {
        "Name": name,
        "PartitionableSlot": True,
        "State": "Unclaimed",
        "MlinfnOffer": offer,
        "Cpus": 32,
        "Memory": 100_000,
        "TotalSlotCpus": 32,
        "TotalSlotMemory": 100_000,
    }
    return Slot.from_ad(base | (devices or {}) | ad)


def claimed(name, job, priority_class, devices="", **ad):
    access_point, _, local = job.partition("@")
    base = {
        "Name": name,
        "State": "Claimed",
        "MlinfnOffer": "session" if priority_class == "interactive" else "opportunistic" if devices else "work",
        "AssignedGPUs": devices,
        "GlobalJobId": f"{access_point}@#{local}#1",
        "RemoteOwner": "bob@demo",
        "PriorityClass": priority_class,
        "JobMaxVacateTime": 30,
        "MachineMaxVacateTime": 120,
        "JobStart": HOUR_AGO,
        "EnteredCurrentState": HOUR_AGO,
    }
    return Slot.from_ad(base | ad)


def job(local="12.0", priority_class="batch", status=1, user="alice", **ad):
    cluster, _, proc = local.partition(".")
    base = {
        "ClusterId": int(cluster),
        "ProcId": int(proc),
        "JobStatus": status,
        "Owner": user,
        "User": f"{user}@demo",
        "PriorityClass": priority_class,
        "Project": "alpha",
        "AccountingGroup": f"group_{priority_class}.alpha.{user}",
        "RequestCpus": 1,
        "RequestMemory": 1024,
        "EnteredCurrentStatus": NOW - 60,
        "QDate": NOW - 60,
    }
    return Job.from_ad("interactive@" if priority_class == "interactive" else "batch@", base | ad)


def priority(user, effective, priority_class="batch"):
    return Priority(
        f"group_{priority_class}.alpha.{user}@demo", f"group_{priority_class}.alpha", False, effective, 1, 0, 0
    )


def snapshot(jobs, slots=(), priorities=()):
    return Snapshot(tuple(jobs), tuple(slots), tuple(priorities), NOW)


A100S = device_ads("server2", "A100", 2)
FIRST, SECOND = "GPU-server2-A100-0", "GPU-server2-A100-1"
PRIMARY = partitionable("slot1@server2@host", "session", A100S, MlinfnDeviceCpus=16, MlinfnDeviceMemoryMb=50_000)
BACKFILL = partitionable("slot5@server2@host", "opportunistic", A100S, MlinfnDeviceCpus=16, MlinfnDeviceMemoryMb=50_000)
BARE = partitionable("slot4@server2@host", "work", Cpus=2)
NODE = (PRIMARY, BACKFILL, BARE)


def asks_a100(count=1, **ad):
    return {"RequestGPUs": count, "RequireGPUs": 'DeviceModel == "A100"', **ad}
