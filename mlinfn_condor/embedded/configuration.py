"""HTCondor configuration of an embedded pool: pure, from a blueprint to files."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded.blueprint import ADMINISTRATOR, Blueprint
from mlinfn_condor.embedded.distribution import Distribution
from mlinfn_condor.embedded.layout import Layout
from mlinfn_condor.node import slots
from mlinfn_condor.node.description import Node
from mlinfn_condor.shipped import shipped

_ROOT_CONFIG = """\
# Written by `mlinfn pool up`: changes are lost. Policy: {policy}; this pool's own values: site.conf.
BIN = {bin}
SBIN = {sbin}
LIBEXEC = {libexec}
LIB = {lib}
LOCAL_DIR = {folder}
LOG = $(LOCAL_DIR)/log
RUN = $(LOCAL_DIR)/run
SPOOL = $(LOCAL_DIR)/spool
EXECUTE = $(LOCAL_DIR)/execute
LOCK = $(LOCAL_DIR)/lock
ETC = $(LOCAL_DIR)/etc
DAEMON_SOCKET_DIR = $(RUN)/sockets
LOCAL_CONFIG_DIR = {policy}
LOCAL_CONFIG_FILE = {last}
REQUIRE_LOCAL_CONFIG_FILE = true

UID_DOMAIN = {domain}
FILESYSTEM_DOMAIN = {domain}
TRUST_DOMAIN = {domain}
SEC_PASSWORD_DIRECTORY = {keys}
SEC_TOKEN_POOL_SIGNING_KEY_FILE = {key}
SEC_TOKEN_SYSTEM_DIRECTORY = {daemon_tokens}
# A client names its own folder; without one it has no identity, and cannot take the daemons'.
SEC_TOKEN_DIRECTORY = $(LOCAL_DIR)/secrets/nobody
"""

_SITE_CONFIG = """\
# This pool's own values; read after condor_config.d.
CONDOR_HOST = 127.0.0.1
NETWORK_INTERFACE = 127.0.0.1
BIND_ALL_INTERFACES = false
ENABLE_IPV6 = false
# The one port of the pool. It stays the same from one `up` to the next: a shadow that looks for its startd of before
# the restart then hears at once that the job is gone, instead of waiting for the lease.
SHARED_PORT_PORT = {port}
COLLECTOR_HOST = 127.0.0.1:{port}
MASTER_ADDRESS_FILE = $(RUN)/master.address
SCHEDD_HOST = {default_schedd}

DAEMON_LIST = MASTER SHARED_PORT COLLECTOR NEGOTIATOR SCHEDD INTERACTIVE {startds}
DC_DAEMON_LIST = + INTERACTIVE {startds}

GROUP_NAMES = {groups}
MLINFN_PROJECT_MAP = {etc}/projects.map
MLINFN_LEAVERS_MAP = {etc}/leavers.map
# Nobody runs a hub here: each user may submit sessions of his own, limited in number and size.
MLINFN_INTERACTIVE_SUBMITTERS = *
MLINFN_LIBEXEC = {libexec}
MLINFN_PYTHON = {python}
MLINFN_JOB_PATH = {job_path}
SINGULARITY = {apptainer}
SINGULARITY_TEST_SANDBOX = {test_image}
# What else this pool's master looks after, when there is something.
include ifexist : {companions}
# Of which devices the provisioner can still add nodes, when one runs.
include ifexist : {growing}
"""

_STARTD_IN_MASTER = """
{daemon} = $(SBIN)/condor_startd
{daemon}_ARGS = -f -local-name {node}
{daemon}_LOG = $(LOG)/StartLog.{node}
{daemon}_ENVIRONMENT = "CONDOR_CONFIG={config}"
"""

_NODE_CONFIG = """\
# What only the startd of {node} reads, last.
STARTD_NAME = {node}
STARTD_LOG = $(LOG)/StartLog.{node}
STARTER_LOG = $(LOG)/StarterLog.{node}
EXECUTE = $(LOCAL_DIR)/execute/{node}
STARTD_ADDRESS_FILE = $(RUN)/{node}.address
STARTD_DAEMON_AD_FILE = $(RUN)/{node}.ad
MLINFN_NODE_DESCRIPTION = {description}
"""


def files(layout: Layout, blueprint: Blueprint, distribution: Distribution, port: int) -> dict[Path, str]:
    """Every configuration file of the pool."""
    site = layout.site_config
    rendered = {
        layout.condor_config: _root(layout, distribution, [site]),
        site: _site(layout, blueprint, port),
        layout.etc / "projects.map": "".join(_membership(blueprint)),
    }
    for node in blueprint.nodes:
        own = layout.etc / f"{node.name}.conf"
        rendered[own] = _node(layout, node)
        rendered[layout.node_config(node.name)] = _root(layout, distribution, [site, own])
    return rendered


def folders(layout: Layout, blueprint: Blueprint) -> list[Path]:
    """Folders that exist because of what the blueprint names."""
    people = [
        path for user in (*blueprint.people, ADMINISTRATOR) for path in (layout.tokens_of(user), layout.homes / user)
    ]
    return [layout.folder / "execute" / node.name for node in blueprint.nodes] + people


def _root(layout: Layout, distribution: Distribution, last: list[Path]) -> str:
    return _ROOT_CONFIG.format(
        bin=distribution.bin,
        sbin=distribution.sbin,
        libexec=distribution.libexec,
        lib=distribution.lib,
        folder=layout.folder,
        policy=shipped("condor_config.d"),
        last=", ".join(str(path) for path in last),
        domain=layout.folder.name,
        keys=layout.signing_key.parent,
        key=layout.signing_key,
        daemon_tokens=layout.daemon_tokens,
    )


def _site(layout: Layout, blueprint: Blueprint, port: int) -> str:
    daemons = [_daemon(node) for node in blueprint.nodes]
    groups = [c.accounting_group for c in PriorityClass]
    groups += [f"{c.accounting_group}.{project}" for c in PriorityClass for project in blueprint.projects]
    site = _SITE_CONFIG.format(
        port=port,
        default_schedd=PriorityClass.BATCH.access_point,
        startds=" ".join(daemons),
        groups=", ".join(groups),
        etc=layout.etc,
        companions=layout.companions,
        growing=layout.growing,
        libexec=shipped("glidein") / "libexec",
        python=sys.executable,
        job_path=f"{Path(sys.executable).parent}:{os.defpath}",
        apptainer=shutil.which("apptainer") or "/usr/bin/apptainer",
        test_image=layout.test_image,
    )
    for node, daemon in zip(blueprint.nodes, daemons, strict=True):
        site += _STARTD_IN_MASTER.format(daemon=daemon, node=node.name, config=layout.node_config(node.name))
    return f"{site}\n{blueprint.overrides}"


def _node(layout: Layout, node: Node) -> str:
    own = _NODE_CONFIG.format(node=node.name, description=layout.node_description(node.name))
    return f"{own}\n{slots.render(node)}"


def _membership(blueprint: Blueprint) -> Iterator[str]:
    for user, projects in blueprint.people.items():
        yield f"* {user} {','.join(projects)}\n"


def _daemon(node: Node) -> str:
    """Name of a node's startd in the master's list; letters and digits only."""
    return "NODE_" + "".join(c for c in node.name.upper() if c.isalnum())
