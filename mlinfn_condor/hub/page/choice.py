"""What a person chose on the spawn page, or a program through the hub's API: checked, every mistake at once.

Both are hostile until shown otherwise: a form can be tampered with, and an API takes any JSON.
"""

import reprlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.hub.page.offers import NOTHING, Offers
from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.submission.requests import Devices, Name

NO_DEVICE = "none"
"""Value of the form's `device` for a session without one; else `gpu:A100`, or `gpu` for any model."""
FIELDS = ("device", "count", "cpus", "memory_gb", "project")
OPTIONS = ("kind", "model", "count", "cpus", "memory_mb", "project")
IGNORED = frozenset({"_xsrf"})

MOST_DEVICES = 1024
MOST_CPUS = 100_000
MOST_MEMORY_MB = 1_000_000_000
"""Beyond these a number is a mistake and no wish; what a user may have is said by limits and pool."""

Short = Annotated[Name, Field(max_length=64)]
Count = Annotated[int, Field(strict=True, ge=0, le=MOST_DEVICES)]

CURES = {
    "extra_forbidden": "there is no such field; known are {known}",
    "string_pattern_mismatch": "use letters, digits, dots, hyphens and underscores, as in A100",
    "string_too_long": "use at most 64 characters",
    "string_type": "give a text",
    "int_type": "give a whole number",
    "enum": "choose gpu or fpga",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
}


class Choice(BaseModel):
    """A session as its user wants it."""

    model_config = ConfigDict(frozen=True)

    devices: Devices
    cpus: int
    memory_mb: int
    project: str | None
    """None: the user's first."""

    @classmethod
    def from_options(cls, options: Mapping[str, Any], offers: Offers = NOTHING) -> "Choice":
        """Read the hub's user_options. Raises BadRequest.

        Missing keys and nulls take defaults; cores and memory those that suit the device. A model without a count
        means one device: nobody names a model to get none.
        """
        if not isinstance(options, Mapping):
            raise BadRequest(f"options are {_shown(options)}: give an object with {', '.join(OPTIONS)}")
        given = {str(name): value for name, value in options.items() if value is not None}
        if "model" in given or "kind" in given:
            given.setdefault("count", 1 if "model" in given else 0)
        try:
            read = _Options.model_validate(given)
        except ValidationError as error:
            raise BadRequest("; ".join(_sentence(mistake, OPTIONS) for mistake in error.errors())) from error
        devices = Devices(count=read.count, kind=read.kind, model=read.model) if read.count else Devices()
        shape = offers.shape(devices)
        return cls(
            devices=devices,
            cpus=read.cpus or shape.cpus,
            memory_mb=read.memory_mb or shape.memory_mb,
            project=read.project,
        )

    @classmethod
    def from_form(cls, form: Mapping[str, Sequence[Any]], offers: Offers = NOTHING) -> "Choice":
        """Read the spawn page's form, an empty field being one that was left to us. Raises BadRequest."""
        mistakes = [f"{_shown(name)}: there is no such field" for name in form if name not in (*FIELDS, *IGNORED)]
        values: dict[str, str] = {}
        for name in FIELDS:
            given = form.get(name) or [""]
            if isinstance(given, str) or len(given) != 1 or not isinstance(given[0], str):
                mistakes.append(f"{name} is {_shown(given)}: give it once, as text")
            elif given[0].strip():
                values[name] = given[0].strip()
        device, count = values.get("device", NO_DEVICE), values.get("count")
        options: dict[str, Any] = _device(device, count)
        if device == NO_DEVICE and count is not None and not _is_number(count):
            mistakes.append(f"count is {_shown(count)}: give a whole number")
        if "cpus" in values:
            options["cpus"] = _whole(values["cpus"])
        if "memory_gb" in values:
            options["memory_mb"] = _megabytes(values["memory_gb"])
            if options["memory_mb"] is None:
                mistakes.append(f"memory_gb is {_shown(values['memory_gb'])}: give a number, as in 8 or 1.5")
        if "project" in values:
            options["project"] = values["project"]
        try:
            choice = cls.from_options(options, offers)
        except BadRequest as error:
            raise BadRequest("; ".join([*mistakes, str(error)])) from error
        if mistakes:
            raise BadRequest("; ".join(mistakes))
        return choice

    def options(self) -> dict[str, Any]:
        """The user_options that say the same, and that the hub keeps."""
        return {
            "kind": self.devices.kind.value,
            "model": self.devices.model,
            "count": self.devices.count,
            "cpus": self.cpus,
            "memory_mb": self.memory_mb,
            "project": self.project,
        }


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: DeviceKind = DeviceKind.GPU
    model: Short | None = None
    count: Count = 0
    cpus: Annotated[int, Field(strict=True, ge=1, le=MOST_CPUS)] | None = None
    memory_mb: Annotated[int, Field(strict=True, ge=1, le=MOST_MEMORY_MB)] | None = None
    project: Short | None = None


def _device(text: str, count: str | None) -> dict[str, Any]:
    if text == NO_DEVICE:
        return {}
    kind, _, model = text.partition(":")
    return {"kind": kind, "count": 1 if count is None else _whole(count)} | ({"model": model} if model else {})


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _whole(text: str) -> int | str:
    """The number, or the text itself where it is none, for the check to complain of."""
    return int(text[:12]) if _is_number(text) else text


def _megabytes(text: str) -> int | None:
    """Gigabytes as people write them, `1.5` or `1,5`, in MB; None for anything else."""
    front, _, decimals = text.replace(",", ".").partition(".")
    if not _is_number(front) or (decimals and not _is_number(decimals)):
        return None
    return int(int(front[:12]) * 1024 + float(f"0.{decimals[:6] or 0}") * 1024)


def _sentence(mistake: Any, known: Sequence[str]) -> str:
    path = ".".join(str(part) for part in mistake["loc"])
    known_cure = CURES.get(mistake["type"])
    cure = known_cure.format(known=", ".join(known), **mistake.get("ctx", {})) if known_cure else mistake["msg"]
    return f"{_shown(path)[1:-1]} is {_shown(mistake['input'])}: {cure}"


def _shown(value: object) -> str:
    """What was given, short and on one line; ascii, for it goes into logs and error pages."""
    try:
        return (
            ascii(value) if isinstance(value, int) else _SHORT.repr(value).encode("ascii", "backslashreplace").decode()
        )
    except ValueError:
        return "a number of thousands of digits"


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
