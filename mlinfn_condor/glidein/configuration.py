"""HTCondor configuration of a glidein: pure, from its orders and its node to files.

Read in this order: the pool's policy, `glidein/config.d`, the site's file, and what is rendered here.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from mlinfn_condor.glidein.layout import Layout
from mlinfn_condor.glidein.orders import PREFIX, Orders
from mlinfn_condor.node import slots
from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import Kind, models
from mlinfn_condor.node.inventory import inventory
from mlinfn_condor.shipped import shipped

KINDS: tuple[Kind, ...] = ("GPUs", "FPGAs")


def root(layout: Layout, orders: Orders) -> str:
    """The file that CONDOR_CONFIG names. It can be read before the node is known: `numbers` needs no more."""
    own = shipped("glidein")
    lib, libexec = (own_folder(orders.htcondor, name) for name in ("lib", "libexec"))
    last = [path for path in (orders.site_config, layout.own_config) if path]
    lines = {
        "BIN": orders.htcondor / "bin",
        "SBIN": orders.htcondor / "sbin",
        "LIB": lib,
        "LIBEXEC": libexec,
        "LOCAL_DIR": layout.work,
        "LOG": "$(LOCAL_DIR)/log",
        "RUN": "$(LOCAL_DIR)/run",
        "SPOOL": "$(LOCAL_DIR)/spool",
        "EXECUTE": layout.execute,
        "SINGULARITY_TEST_SANDBOX": layout.test_image,
        "LOCK": "$(LOCAL_DIR)/lock",
        "ETC": layout.etc,
        "UID_DOMAIN": orders.domain,
        # In a pool of others no file system is shared with anybody.
        "FILESYSTEM_DOMAIN": orders.name if orders.pool else orders.domain,
        "TRUST_DOMAIN": orders.domain,
        "SEC_TOKEN_SYSTEM_DIRECTORY": orders.tokens,
        "SEC_TOKEN_DIRECTORY": orders.tokens,
        "SEC_PASSWORD_DIRECTORY": layout.work / "no-keys",
        "LOCAL_CONFIG_DIR": f"{orders.policy}, {own / 'config.d'}",
        "LOCAL_CONFIG_FILE": ", ".join(str(path) for path in last),
        "REQUIRE_LOCAL_CONFIG_FILE": "true",
    }
    return "".join(f"{name} = {value}\n" for name, value in lines.items())


def first(orders: Orders) -> str:
    """What the glidein sets whatever its node turns out to be."""
    lines = {
        "COLLECTOR_HOST": orders.collector,
        "CONDOR_HOST": "$(COLLECTOR_HOST)",
        **(_address(orders.address) if orders.address else {}),
        "STARTD_NAME": orders.name,
        "MLINFN_OWNER_PROJECT": orders.owner_project,
        "MLINFN_LIBEXEC": shipped("glidein") / "libexec",
        "MLINFN_PYTHON": sys.executable,
        # Jobs find the commands of this very environment first: `python -m mlinfn_condor.session.server`.
        "MLINFN_JOB_PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "MLINFN_PROJECT_MAP": "/dev/null",
        f"{PREFIX}NAME": orders.name,
        f"{PREFIX}UID": orders.uid,
        f"{PREFIX}KIND": orders.kind,
        f"{PREFIX}SITE": orders.site,
        f"{PREFIX}POOL": orders.pool,
        f"{PREFIX}OUR_DOMAINS": orders.our_domains,
        f"{PREFIX}OUR_USERS": orders.our_users,
        f"{PREFIX}NODE": orders.node,
        f"{PREFIX}POD": orders.pod,
        f"{PREFIX}WARM": str(orders.warm).lower(),
        **{f"{PREFIX}{name}": number for name, number in orders.numbers.items()},
    }
    return "".join(f"{name} = {value}\n" for name, value in lines.items())


def own(layout: Layout, orders: Orders, node: Node) -> str:
    """Everything that only this glidein sets."""
    held = ",".join(f"{model}:{count}" for _, model, count in models(node.devices))
    lines = [
        first(orders),
        f"MLINFN_NODE_DESCRIPTION = {layout.description}\n",
        f"{PREFIX}DEVICES = {held}\n",
        *(f"{PREFIX}INVENTORY_{kind} = {layout.inventory(kind)}\n" for kind in KINDS),
    ]
    return "".join(lines) + slots.render(node)


def files(layout: Layout, orders: Orders, node: Node) -> Iterator[tuple[Path, str]]:
    """Every file that a glidein with this node needs."""
    yield layout.own_config, own(layout, orders, node)
    for kind in KINDS:
        yield layout.inventory(kind), inventory(node.devices, kind)


def _address(address: str) -> dict[str, str]:
    """Listen there, and nowhere else."""
    version_6 = ":" in address
    return {
        "NETWORK_INTERFACE": address,
        "BIND_ALL_INTERFACES": "false",
        "ENABLE_IPV4": str(not version_6).lower(),
        "ENABLE_IPV6": str(version_6).lower(),
    }


def own_folder(prefix: Path, name: str) -> Path:
    """Packages give HTCondor folders of its own in lib and libexec, tarballs don't."""
    return prefix / name / "condor" if (prefix / name / "condor").is_dir() else prefix / name
