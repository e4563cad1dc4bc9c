"""The warning before a session is ended: how the hub writes it, how the session words and shows it."""

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

FILE = "notice.json"
Deed = Literal["stop", "restart-without-device"]
Cause = Literal["idle", "age", "account"]


@dataclass(frozen=True)
class Notice:
    """A warning that stands. Times are seconds of the epoch."""

    given: float
    deadline: float
    deed: Deed
    cause: Cause
    why: str
    """A sentence for the person."""

    @property
    def can_be_kept(self) -> bool:
        """Whether using the session takes the warning back; nothing makes a session younger."""
        return self.cause == "idle"

    def as_json(self) -> dict[str, Any]:
        """What `read` takes."""
        return asdict(self)


def read(content: Mapping[str, Any] | None) -> Notice | None:
    """The notice in this object; None if it is none."""
    try:
        if content is None or content["deed"] not in get_args(Deed) or content["cause"] not in get_args(Cause):
            return None
        given, deadline = float(content["given"]), float(content["deadline"])
        time.localtime(deadline)  # A time that no clock shows is refused here, where it costs nothing.
        if not math.isfinite(given):
            return None
        return Notice(given, deadline, content["deed"], content["cause"], str(content["why"]))
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def headline(notice: Notice) -> str:
    """What will happen when, on the node's clock."""
    when = time.strftime("%H:%M", time.localtime(notice.deadline))
    if notice.deed == "restart-without-device":
        return f"At {when} this session gives back its device: it is restarted without one, and its kernels end."
    return f"At {when} this session is stopped. Files stay; kernels and terminals end."


def text(notice: Notice) -> str:
    """Headline, reason and what to do, for the page."""
    cure = "Use it, or press “Keep it”, to keep it." if notice.can_be_kept else "Save what you need."
    return f"{headline(notice)} {notice.why} {cure}"


def for_terminal(notice: Notice) -> str:
    """The same in reverse video between line breaks of a terminal in raw mode; typing counts as use."""
    cure = "Press a key here to keep it." if notice.can_be_kept else "Save what you need."
    printable = "".join(letter if letter.isprintable() else " " for letter in f"{headline(notice)} {notice.why} {cure}")
    return f"\r\n\a\x1b[7m {printable} \x1b[0m\r\n"


WITHDRAWN = "\r\n\x1b[7m The warning is taken back: this session stays. \x1b[0m\r\n"
