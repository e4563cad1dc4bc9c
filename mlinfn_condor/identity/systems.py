"""Names and numbers that operating systems use: nobody of ours may have them.

In a pod the image's own `passwd` is asked first, so a person called `backup` would be the image's account to some
programs and himself to others; and programs such as sudo trust groups by name, so a project called `sudo` would make
its members administrators of every image that has sudo.
"""

import grp
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.identity.names import ROLES

_ACCOUNTS = """
root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody nobody4 operator ftp
_apt sshd messagebus systemd-network systemd-resolve systemd-timesync systemd-coredump systemd-oom polkitd tss dnsmasq
rpc rpcuser statd _rpc avahi chrony ntp postgres mysql redis nginx apache apache2 httpd jovyan slurm munge postfix
shutdown halt adm dbus sssd colord geoclue pulse rtkit usbmux uuidd tcpdump nfsnobody
"""
_GROUPS = """
adm tty disk kmem dialout fax voice cdrom floppy tape sudo audio dip operator src shadow utmp video sasl plugdev staff
users nogroup crontab input sgx kvm render netdev wheel docker podman lxd libvirt ssl-cert systemd-journal ssh lock mem
admin admins
"""
RESERVED = frozenset(_ACCOUNTS.split()) | frozenset(_GROUPS.split()) | ROLES
"""What images of the common distributions have, and the pool's roles."""


@dataclass(frozen=True)
class System:
    """Accounts and groups of one machine or image: name → number."""

    users: Mapping[str, int]
    groups: Mapping[str, int]


def this_machine() -> System:
    """Those of this machine, those of a directory service that it asks among them, if that tells of all."""
    return System(
        {one.pw_name: one.pw_uid for one in pwd.getpwall()}, {one.gr_name: one.gr_gid for one in grp.getgrall()}
    )


def of_files(passwd: Path, group: Path) -> System:
    """Those of an image, from its two files. Raises BadRequest."""
    return System(_numbers(passwd), _numbers(group))


def _numbers(path: Path) -> dict[str, int]:
    try:
        lines = [line.split(":") for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
        return {words[0]: int(words[2]) for words in lines}
    except OSError as error:
        raise BadRequest(f"{path}: {error.strerror}") from error
    except (ValueError, IndexError) as error:
        raise BadRequest(f"{path}: each line has a name, a word and a number, with ':' between them") from error
