"""A site's HTCondor configuration: pure. Policy comes from condor_config.d; here stands what is this site's, and which
daemons a pod runs (its role, in the variable MLINFN_ROLE).
"""

from collections.abc import Iterator, Mapping

from mlinfn_condor.contracts.render import FILE as CONTRACTS
from mlinfn_condor.contracts.render import render as render_contracts
from mlinfn_condor.site.numbers import prefixed
from mlinfn_condor.site.places import Places
from mlinfn_condor.site.settings import Site

SCHEDULES = "schedules"
"""Identity of the service that submits in the name of those whose schedules it keeps."""
_HEAD = "# Written by `mlinfn config render`: changes are lost, change the site's file instead.\n"

_ROOT = """\
# Policy: {policy}; this site's values: site.conf, contracts.conf; what a pod runs: central-manager.conf and the others.
BIN = {bin}
SBIN = {sbin}
LIBEXEC = {libexec}
LIB = {htcondor_lib}
LOCAL_DIR = {lib}
LOG = {log}
RUN = {run}/condor
SPOOL = $(LOCAL_DIR)/spool
EXECUTE = $(RUN)/execute
LOCK = $(RUN)/lock
ETC = {etc}/condor
DAEMON_SOCKET_DIR = $(RUN)/sockets
LOCAL_CONFIG_DIR = {policy}
LOCAL_CONFIG_FILE = $(ETC)/site.conf, $(ETC)/contracts.conf, $(ETC)/$ENV(MLINFN_ROLE).conf
REQUIRE_LOCAL_CONFIG_FILE = true
"""

_DAEMON = """
SHARED_PORT_PORT = {port}
SEC_PASSWORD_DIRECTORY = {secrets}/pool-keys
SEC_TOKEN_POOL_SIGNING_KEY_FILE = {secrets}/pool-keys/POOL
SEC_TOKEN_SYSTEM_DIRECTORY = {secrets}/daemon-token
# Tools in this pod, its probes among them, speak as the daemons do.
SEC_TOKEN_DIRECTORY = {secrets}/daemon-token
MASTER_ADDRESS_FILE = $(RUN)/master.address
# A token is believed if it is listed: those of roles by the site's own list, people's by the one that the hub keeps.
MLINFN_BELIEVE_LISTED_TOKENS_ONLY = {strict}
MLINFN_TOKEN_LIST = {token_list}
"""

_MANAGER = """
# In this pod, without a way out through the Service and back.
COLLECTOR_HOST = $(IP_ADDRESS):{port}
# Which nodes can still be added, as the provisioner told, and whose tokens count, as the hub did; the container beside
# this one brings it.
include ifexist : {growing}/growing.conf
MLINFN_LEAVERS_MAP = {growing}/leavers.map
MLINFN_PEOPLES_TOKEN_LIST = {growing}/people-tokens.map
"""

_ACCESS_POINT = """
# The hub keeps them, for both access points, on the homes' file system.
MLINFN_PROJECT_MAP = {shared}/projects.map
MLINFN_LEAVERS_MAP = {shared}/leavers.map
MLINFN_PEOPLES_TOKEN_LIST = {shared}/people-tokens.map
# The negotiator, of another master, looks by itself every MLINFN_NEGOTIATION_SECONDS. Asked to, it and the schedd would
# at times each wait for the other to say who it is, 20 s or 40: at a first submit, or at one after a quiet hour.
SCHEDD_SEND_RESCHEDULE = false
"""


def files(site: Site, places: Places) -> Mapping[str, str]:
    """By name, what lies in `etc/condor`."""
    words = {**_words(places), "strict": str(believes_listed_only(site)).lower()}
    return {
        "condor_config": _HEAD + _ROOT.format(**words),
        "site.conf": _HEAD + "".join(f"{line}\n" for line in _site(site, places)),
        CONTRACTS: render_contracts(site.contracts),
        "central-manager.conf": _role(
            words, "DAEMON_LIST = MASTER SHARED_PORT COLLECTOR NEGOTIATOR\n" + _DAEMON + _MANAGER
        ),
        "interactive.conf": _role(
            words,
            "DAEMON_LIST = MASTER SHARED_PORT INTERACTIVE\nDC_DAEMON_LIST = + INTERACTIVE\n"
            "MLINFN_INTERACTIVE_SPOOL = $(LOCAL_DIR)/spool\nSCHEDD_HOST = interactive@\n" + _DAEMON + _ACCESS_POINT,
        ),
        "batch.conf": _role(
            words, "DAEMON_LIST = MASTER SHARED_PORT SCHEDD\nSCHEDD_HOST = batch@\n" + _DAEMON + _ACCESS_POINT
        ),
        "client.conf": _role(words, "DAEMON_LIST =\nSCHEDD_HOST = batch@\n"),
    }


def for_nodes(site: Site, places: Places) -> str:
    """The one file of the pool's own values that a glidein reads."""
    rendered = files(site, places)
    return rendered["site.conf"] + rendered[CONTRACTS]


def believes_listed_only(site: Site) -> bool:
    """Whether a signature alone opens nothing. Tokens of a central manager that is somebody else's are on no list here,
    so there the site has to say it."""
    return bool(site.numbers.get("believe_listed_tokens_only", site.external.central_manager is None))


def _role(words: Mapping[str, object], text: str) -> str:
    return _HEAD + text.format(**words)


def _words(places: Places) -> Mapping[str, object]:
    names = (
        "bin",
        "sbin",
        "libexec",
        "htcondor_lib",
        "lib",
        "log",
        "run",
        "etc",
        "policy",
        "port",
        "secrets",
        "shared",
        "growing",
        "token_list",
    )
    return {name: getattr(places, name) for name in names}


def _site(site: Site, places: Places) -> Iterator[str]:
    for name in ("UID_DOMAIN", "FILESYSTEM_DOMAIN", "TRUST_DOMAIN"):
        yield f"{name} = {site.hosts.domain}"
    yield f"COLLECTOR_HOST = {places.collector}"
    yield "CONDOR_HOST = $(COLLECTOR_HOST)"
    yield f"MLINFN_SCHEDULERS = {SCHEDULES}"
    # Of these pods nobody else's configuration is read: a node sets its own.
    yield "MLINFN_LIBEXEC = /usr/share/mlinfn/libexec"
    for name, value in sorted(site.numbers.items()):
        yield f"{prefixed(name)} = {str(value).lower() if isinstance(value, bool) else value}"
    if site.external.pools:
        yield f"MLINFN_FLOCK_POOLS = {', '.join(site.external.pools)}"
        yield f"MLINFN_FLOCK_PROJECTS = {','.join(site.external.projects)}"
        yield f"MLINFN_FLOCK_UNASKED = {str(site.external.unasked).lower()}"
