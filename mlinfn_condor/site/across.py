"""Whether the sections of a site file fit together. Pure: each check names the sections it compares as its parameters,
and yields every mistake with its place and cure.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from mlinfn_condor.contracts import promises
from mlinfn_condor.contracts.settings import Contracts, PoolSettings
from mlinfn_condor.ingestion.settings import Ingestion
from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.site.cluster import Kubernetes, Provisioning
from mlinfn_condor.site.numbers import Number, glidein_numbers, shipped_numbers
from mlinfn_condor.site.references import DATABASE_PASSWORDS, secret_of
from mlinfn_condor.site.sections import Backup, Database, External, Hosts, Hub, Identity, Storage


def promises_can_be_kept(
    pool: PoolSettings, pledges: Any, owners: Any, headroom: Any, windows: Any, limits: Any
) -> Iterator[str]:
    """Contracts among themselves."""
    yield from promises.mistakes(
        Contracts.model_construct(
            pool=pool, pledges=pledges, owners=owners, headroom=headroom, windows=windows, limits=limits
        )
    )


def windows_fit_the_grace(numbers: Mapping[str, Number], kubernetes: Kubernetes) -> Iterator[str]:
    """Kubernetes gives a node the time that HTCondor promises its jobs."""
    told = {**shipped_numbers(), **numbers}
    usual, longest = told["vacate_seconds"], told["vacate_seconds_cap"]
    if usual > longest:
        yield f"numbers.vacate_seconds: {usual} is above vacate_seconds_cap ({longest}): no job would get it"
    goodbye = glidein_numbers()["glidein_goodbye_seconds"]
    if kubernetes.grace_seconds < longest + goodbye:
        yield (
            f"kubernetes.grace_seconds: {kubernetes.grace_seconds} ends a job within its window: make it "
            f"{longest + goodbye} (vacate_seconds_cap {longest} and {goodbye} for the goodbye), or the cap smaller"
        )


def limits_agree(numbers: Mapping[str, Number], hub: Hub, limits: Any, pool: PoolSettings) -> Iterator[str]:
    """What one place allows, the next must not refuse."""
    told = {**shipped_numbers(), **numbers}
    for said, bound in (
        ("sessions_per_person", "sessions_per_user"),
        ("cpus_per_session", "session_max_cpus"),
        ("memory_mb_per_session", "session_max_memory_mb"),
        ("devices_per_session", "session_max_devices"),
    ):
        if (allowed := getattr(hub.limits, said)) > told[bound]:
            yield f"hub.limits.{said}: {allowed}, and numbers.{bound} refuses more than {told[bound]}: make them agree"
    most = max((sum(node.devices.values()) for node in pool.nodes.values()), default=0)
    for name in ("session_max_devices", "job_max_devices"):
        if name in numbers and numbers[name] > most:
            yield f"numbers.{name}: {numbers[name]}, and no node has more than {most} devices: such jobs wait for ever"
    person, session = hub.limits.devices_per_person, hub.limits.devices_per_session
    if person is not None and person < session:
        yield (
            f"hub.limits.devices_per_person: {person} is below devices_per_session ({session}): nobody could have "
            "such a session"
        )
    for project, own in limits.projects.items():
        if limits.devices_per_user and own and own < limits.devices_per_user:
            yield (
                f"limits.projects.{project}: {own} for all members is below limits.devices_per_user "
                f"({limits.devices_per_user}) for each"
            )
    if limits.jobs_per_user and "jobs_per_user" in numbers:
        yield "numbers.jobs_per_user: limits.jobs_per_user says it too: leave one out"


def projects_exist(
    pool: PoolSettings, identity: Identity, hub: Hub, provisioning: Provisioning, external: External
) -> Iterator[str]:
    """Wherever a project is named, the pool has it."""
    named: dict[str, Any] = {
        "identity.openid.projects": identity.openid.known_projects if identity.openid else (),
        "hub.limits.projects": hub.limits.projects,
        "provisioning.limits.projects": provisioning.limits.projects,
        "external.projects": external.projects,
    }
    named |= {f"identity.members.{person}": projects for person, projects in identity.members.items()}
    named |= {
        f"provisioning.kinds.{name}.owner_project": [kind.owner_project]
        for name, kind in provisioning.kinds.items()
        if kind.owner_project
    }
    for where, projects in named.items():
        for project in sorted(set(projects) - set(pool.projects)):
            yield f"{where}: {project}: the pool has no such project, it has {', '.join(sorted(pool.projects))}"


def schedules_have_somebody(pool: PoolSettings, identity: Identity, schedules: list[Any]) -> Iterator[str]:
    """Whose they are, where the file itself says who there is."""
    for place, each in enumerate(schedules):
        if identity.openid is None and each.owner not in identity.members:
            yield f"schedules.{place}.owner: {each.owner}: identity.members has nobody of this name"
        if each.project and each.project not in pool.projects:
            yield f"schedules.{place}.project: {each.project}: the pool has no such project"


def kinds_find_machines(kubernetes: Kubernetes, provisioning: Provisioning) -> Iterator[str]:
    """Kubernetes knows where a node of each kind can run."""
    models = {kind.model for kind in provisioning.kinds.values() if kind.device_kind is DeviceKind.GPU}
    for name, kind in provisioning.kinds.items():
        if kind.device_kind is DeviceKind.FPGA and kind.model not in kubernetes.resources:
            yield (
                f"kubernetes.resources.{kind.model}: missing, and kind {name} has it: say what Kubernetes calls one "
                "(kubectl describe node lists what its machines have)"
            )
        elif kind.device_kind is DeviceKind.GPU and len(models) > 1 and kind.model not in kubernetes.gpu_nodes:
            yield (
                f"kubernetes.gpu_nodes.{kind.model}: missing, and kind {name} has it: without labels its nodes would "
                'take any machine with a GPU. Write {"nvidia.com/gpu.product" = "…"}, as kubectl get nodes -L shows it'
            )
    for table in ("gpu_nodes", "resources"):
        for model in sorted(set(getattr(kubernetes, table)) - {kind.model for kind in provisioning.kinds.values()}):
            yield f"kubernetes.{table}.{model}: no kind of node has this model: remove it, or mend its name"


def intervals_agree(numbers: Mapping[str, Number], provisioning: Provisioning) -> Iterator[str]:
    """The provisioner believes a restarted collector when all slots have reported, and not before."""
    reports = {**shipped_numbers(), **numbers}["slot_report_seconds"]
    if provisioning.intervals.report_seconds != reports:
        yield (
            f"provisioning.intervals.report_seconds: {provisioning.intervals.report_seconds:g}, and slots report every "
            f"numbers.slot_report_seconds ({reports}): make them equal"
        )


def database_is_meant(database: Database) -> Iterator[str]:
    """What is said of a server that is not there."""
    if database.host and "size" in database.model_fields_set:
        yield "database.size: is the rendered server's, and database.host names the site's own: leave one out"
    if database.host in ("database", "localhost") or database.host.startswith("127."):
        yield f"database.host: {database.host} is no address that pods reach: leave it out for the rendered server"


def data_lead_somewhere(hosts: Hosts, database: Database, ingestion: Ingestion | None) -> Iterator[str]:
    """An address for instruments wants somebody who answers there."""
    if hosts.data and not database.rest_schemas and ingestion is None:
        yield f"hosts.data: {hosts.data}: nothing is offered there: give [ingestion], or leave it out"
    if hosts.data and urlsplit(hosts.data).hostname == urlsplit(hosts.public).hostname:
        yield f"hosts.data: {hosts.data}: people's browsers go there (hosts.public): name another host"


def copies_lie_elsewhere(storage: Storage, backup: Backup | None) -> Iterator[str]:
    """What ends the homes' server must not end their copies."""
    host = urlsplit(backup.repository.removeprefix("s3:")).hostname if backup else None
    if host and host == storage.export.server.lower():
        yield f"backup.repository: {host} also has the homes: name a server that does not end with it"


def secrets_differ(backup: Backup | None) -> Iterator[str]:
    """Who may read the database's passwords need not read all homes."""
    if backup is None:
        return
    for name, reference in backup.secrets.items():
        if secret_of(reference) == DATABASE_PASSWORDS:
            yield f"backup.{name}: {reference}: that Secret has the database's passwords: name one of its own"
    if backup.password == backup.credentials:
        yield f"backup.password: {backup.password}: is also credentials: each is a key of its own"


def leaving_is_meant(external: External) -> Iterator[str]:
    """Who may leave needs somewhere to go to."""
    if external.pools and not external.projects:
        yield "external.projects: missing, so nobody's jobs may go to external.pools"
    if external.projects and not external.pools:
        yield "external.pools: missing, so external.projects have nowhere to go"


CHECKS = (
    promises_can_be_kept,
    windows_fit_the_grace,
    limits_agree,
    projects_exist,
    schedules_have_somebody,
    kinds_find_machines,
    intervals_agree,
    database_is_meant,
    data_lead_somewhere,
    copies_lie_elsewhere,
    secrets_differ,
    leaving_is_meant,
)
