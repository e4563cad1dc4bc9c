"""Where this machine gets Debian's packages from: its own apt sources know, and their choice of mirror is kept."""

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
"""What Debian's archive is signed with; package debian-archive-keyring, on every Debian."""

_SUITE_NAMES = frozenset({"stable", "oldstable", "oldoldstable", "testing", "unstable", "sid"})
_ONE_LINE = re.compile(r"deb\s+(?:\[(?P<options>[^]]*)]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.*)")


@dataclass(frozen=True)
class Source:
    """One archive with one suite, as an apt source names it."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str | None = None
    """A keyring's path, or, over several lines, the key itself; None: whatever apt trusts."""

    @property
    def debians_keys(self) -> bool:
        """Signed with Debian's own keys, as far as the entry tells."""
        return self.signed_by is None or "/debian-archive-" in self.signed_by

    def at(self, suite: str) -> str:
        """This archive at another suite, as a deb822 stanza.

        An entry without a keyring is bound to Debian's, so that another vendor's archive cannot pass for Debian's.
        """
        return (
            f"Types: deb\nURIs: {self.uri}\nSuites: {suite}\nComponents: main\n"
            f"Signed-By: {self.signed_by or DEBIAN_KEYRING}\n"
        )


def parse_one_line(text: str) -> list[Source]:
    """Entries of a `.list` file that bring binary packages; other entries and what is malformed don't count."""
    found = []
    for line in text.splitlines():
        match = _ONE_LINE.fullmatch(line.partition("#")[0].strip())
        if match is None:
            continue
        options = dict(option.partition("=")[::2] for option in (match["options"] or "").split())
        found.append(
            Source(match["uri"], match["suite"], tuple(match["components"].split()), options.get("signed-by") or None)
        )
    return found


def parse_deb822(text: str) -> list[Source]:
    """Entries of a `.sources` file that bring binary packages and are not disabled, one for each suite."""
    found = []
    uncommented = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", uncommented):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        for uri in fields.get("uris", "").split()[:1]:  # further ones are mirrors of the first
            for suite in fields.get("suites", "").split():
                signed_by = fields.get("signed-by") or None
                found.append(Source(uri, suite, tuple(fields.get("components", "").split()), signed_by))
    return found


def _fields(stanza: str) -> dict[str, str]:
    """Fields of a deb822 stanza by lower-case name; continuation lines are kept as they are, a key may be in them."""
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line[:1] in (" ", "\t") and name:
            fields[name] += "\n" + line
        elif ":" in line:
            name, value = line.split(":", 1)
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def debian_archive(sources: Iterable[Source], codename: str) -> Source | None:
    """The entry for the archive of this very Debian, None when there is none.

    Another vendor may call his suite by Debian's codename: an entry that names Debian's keyring goes first, and one
    that names somebody else's only when it is the only one (a house mirror, signed anew).
    """
    candidates = [
        source
        for source in sources
        if "main" in source.components
        and source.suite in _SUITE_NAMES | {codename}
        and not source.uri.startswith("cdrom")
    ]
    candidates.sort(key=lambda source: (not source.debians_keys, source.signed_by is None))
    return candidates[0] if candidates else None


def os_release(text: str) -> Mapping[str, str]:
    """Fields of /etc/os-release."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): "".join(shlex.split(value)[:1]) for name, _, value in pairs}
