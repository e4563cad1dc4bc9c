"""The servers of an OpenStack, read through openstacksdk: the only importer of it. Everything or an error, no part."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import requests
from keystoneauth1.exceptions import ClientException
from keystoneauth1.identity.base import BaseIdentityPlugin
from openstack import resource
from openstack.compute.v2 import flavor, server
from openstack.config import OpenStackConfig
from openstack.connection import Connection
from openstack.exceptions import ForbiddenException, HttpException, SDKException
from openstack.identity.v3.project import Project

from mlinfn_condor.accounting.inventory.cloud.server import Server
from mlinfn_condor.errors import MlinfnError

PATIENCE_SECONDS = 60
"""For each answer of the cloud, where clouds.yaml has no `api_timeout`: openstacksdk would wait without end."""
DELETED = "DELETED"
EVER = datetime(1970, 1, 1, tzinfo=UTC)


class CloudUnavailable(MlinfnError):
    """The cloud did not answer, or refused; nothing was imported."""

    page = "docs/accounting.md#from-openstack"


class _Flavor(flavor.Flavor):
    # Without the SDK's defaults: what a cloud does not tell must not look like none.
    vcpus = resource.Body("vcpus", type=int)
    ram = resource.Body("ram", type=int)
    extra_specs = resource.Body("extra_specs", type=dict)


class _Server(server.Server):
    flavor = resource.Body("flavor", type=_Flavor)


def servers(cloud: str, *, all_projects: bool = False, deleted_since: datetime | None = None) -> list[Server]:
    """Servers that are there, and those that the cloud still knows as deleted since then (None: ever).

    `cloud` is a name in clouds.yaml. Raises CloudUnavailable.
    """
    with _told(cloud), _connect(cloud) as connection:
        names = _projects(connection, all_projects)
        query: dict[str, Any] = {"all_projects": True} if all_projects else {}
        # First those that are there: one that is deleted meanwhile is then in both lists, not in neither.
        found = {each.id: each for each in _list(connection, query)}
        changed = query | {"changes_since": (deleted_since or EVER).isoformat()}
        found |= {each.id: each for each in _list(connection, changed) if each.status == DELETED}
        return [_server(each, names) for each in found.values()]


def _connect(cloud: str) -> Connection:
    region = OpenStackConfig().get_one(cloud)
    if region.config.get("api_timeout") is None:
        region.config["api_timeout"] = PATIENCE_SECONDS
    return Connection(config=region)


def _list(connection: Connection, query: dict[str, Any]) -> Iterator[_Server]:
    return _Server.list(connection.compute, base_path="/servers/detail", **query)


def _projects(connection: Connection, all_projects: bool) -> dict[str, str]:
    """Names by id. Without the right to list them all, projects go by their ids."""
    names: dict[str, str] = {}
    if isinstance(auth := connection.session.auth, BaseIdentityPlugin):
        own = auth.get_access(connection.session)
        if own.project_id and own.project_name:
            names[own.project_id] = own.project_name
    if all_projects:
        try:
            names |= {project.id: project.name for project in Project.list(connection.identity)}
        except ForbiddenException:
            return names
    return names


def _server(told: _Server, names: dict[str, str]) -> Server:
    shape = told.flavor
    if shape is None or shape.vcpus is None or shape.ram is None:
        raise CloudUnavailable(
            f"nothing was imported: server {told.name} ({told.id}) comes without its flavor: "
            "needed is compute API 2.61 (Rocky) or newer"
        )
    if shape.extra_specs is None:
        raise CloudUnavailable(
            f"nothing was imported: the extra specs of the flavor of server {told.name} ({told.id}) are hidden from "
            "this account: needed are compute API 2.61 and the policy os_compute_api:os-flavor-extra-specs:index"
        )
    ended = _moment(told.terminated_at) or _moment(told.updated_at) if told.status == DELETED else None
    return Server(
        told.id, told.name or told.id, told.project_id or "", names.get(told.project_id, ""), told.status or "",
        _moment(told.created_at) or EVER, _moment(told.launched_at), ended, shape.vcpus, shape.ram,
        shape.extra_specs, told.metadata or {},
    )  # fmt: skip


def _moment(text: str | None) -> datetime | None:
    """Nova writes some moments with a Z and some without an offset; all are UTC."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)).replace(microsecond=0)


@contextmanager
def _told(cloud: str) -> Iterator[None]:
    """Whatever goes wrong, in one line that names the cloud."""
    try:
        yield
    except (SDKException, ClientException, requests.RequestException, ValueError) as error:
        reason = " ".join(str(getattr(error, "details", None) or error).split())
        code = f"{error.status_code} " if isinstance(error, HttpException) and error.status_code else ""
        raise CloudUnavailable(
            f"nothing was imported: cloud {cloud}: {code}{reason}; `openstack --os-cloud {cloud} server list` "
            "should work from here"
        ) from error
