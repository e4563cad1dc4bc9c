"""The submit templates: plain submit language, whose parameters are its macros.

`fill` gives what `condor_submit training.sub cpus=4 gpus=1` would read: a person and the package use the same file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.pool import language
from mlinfn_condor.shipped import shipped

AUTOMATIC = frozenset({"cluster", "clusterid", "process", "procid", "row", "item", "step"})
"""Macros that HTCondor itself fills in."""

_USE = re.compile(r"\$\((?P<name>\w+)(?P<default>:)?")
_GUARD = re.compile(r"^\s*(?:el)?if\s+(?:not\s+)?defined\s+(?P<name>\w+)", re.MULTILINE)
_DEFINITION = re.compile(r"^\s*(?P<name>\w+)\s*=", re.MULTILINE)
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)


@dataclass(frozen=True)
class Template:
    """One submit template."""

    name: str
    text: str

    @property
    def parameters(self) -> frozenset[str]:
        """Macros that a caller may set."""
        code = _COMMENT.sub("", self.text)
        used = {use["name"] for use in _USE.finditer(code)} | {guard["name"] for guard in _GUARD.finditer(code)}
        own = {definition["name"] for definition in _DEFINITION.finditer(code)}
        return frozenset(name for name in used - own if name.lower() not in AUTOMATIC)

    @property
    def required(self) -> frozenset[str]:
        """Parameters without which the template makes no sense: used without a default and without `if defined`."""
        code = _COMMENT.sub("", self.text)
        guarded = {guard["name"] for guard in _GUARD.finditer(code)}
        bare = {use["name"] for use in _USE.finditer(code) if not use["default"]}
        defaulted = {use["name"] for use in _USE.finditer(code) if use["default"]}
        return frozenset((bare - guarded - defaulted) & self.parameters)

    def fill(self, values: Mapping[str, str]) -> str:
        """The template with its parameters set. Raises BadRequest with every parameter that cannot be set so."""
        mistakes = [
            f"{name}: {self.name}.sub has no such parameter" for name in sorted(values.keys() - self.parameters)
        ]
        mistakes += [f"{name}: it is missing" for name in sorted(self.required - values.keys())]
        for name, value in values.items():
            if complaint := language.complaint(value):
                mistakes.append(f"{name}: {complaint}")
        if mistakes:
            raise BadRequest("; ".join(mistakes))
        return "".join(f"{name} = {value}\n" for name, value in values.items()) + "\n" + self.text


def load(name: str) -> Template:
    """Template `training`, `session` or `dask-worker`."""
    return Template(name, (shipped("submit_templates") / f"{name}.sub").read_text())
