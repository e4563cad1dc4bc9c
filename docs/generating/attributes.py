"""What a submit may say: parameters of the templates, attributes that the access points write, and what they refuse."""

import re
from collections.abc import Iterator

from generating import writing
from generating.configuration import banner
from mlinfn_condor.shipped import shipped

PARAMETERS = {
    "training.sub": "A training of class batch.",
    "sweep.sub": "The same training for each row of a table.",
    "session.sub": "A JupyterLab session.",
    "dask-worker.sub": "Workers for a Dask scheduler that runs already.",
}
_PARAMETER = re.compile(r"# ([a-z_]+(?:, [a-z_]+)*)  +(\S.*)")
_WRITTEN = re.compile(r"^ +(SET|DEFAULT|EVALSET|DELETE|COPY|RENAME) +(\w+)", re.MULTILINE)
_TRANSFORM = re.compile(r"^JOB_TRANSFORM_\w+ @=end\n(.*?)^@end", re.MULTILINE | re.DOTALL)
_REQUIREMENT = re.compile(r"^SUBMIT_REQUIREMENT_NAMES = \$\(SUBMIT_REQUIREMENT_NAMES\) (.+)$", re.MULTILINE)
_KEPT = re.compile(r"^(?:IMMUTABLE|PROTECTED)_JOB_ATTRS = \$\(\w+\) (.+)$", re.MULTILINE)
_VERBS = {
    "SET": "set",
    "EVALSET": "reckoned from what the job says",
    "DEFAULT": "filled in if missing",
    "DELETE": "taken out",
    "COPY": "kept beside",
    "RENAME": "renamed",
}


def parameters(template: str) -> dict[str, str]:
    """What may be given to a template, `NAME=VALUE` behind its file, from the comment at its head.

    Several that are told together have one entry, with commas between.
    """
    told: dict[str, str] = {}
    names = ""
    for line in (shipped("submit_templates") / template).read_text().splitlines():
        if not line.startswith("#"):
            break
        if found := _PARAMETER.fullmatch(line):
            names = found[1]
            told[names] = found[2]
        elif names and line.startswith("#   "):
            told[names] += f" {line.lstrip('# ')}"
        else:
            names = ""
    return told


def written() -> dict[str, list[tuple[str, str]]]:
    """Attributes of jobs that access points write at submit: how, and in which file."""
    told: dict[str, list[tuple[str, str]]] = {}
    for file, text in _files():
        for body in _TRANSFORM.findall(text):
            for verb, name in _WRITTEN.findall(body):
                if (_VERBS[verb], file) not in told.setdefault(name, []):
                    told[name].append((_VERBS[verb], file))
    return told


def kept() -> frozenset[str]:
    """Attributes that nobody changes once the job is in the queue."""
    return frozenset(name for _, text in _files() for names in _KEPT.findall(text) for name in names.split())


def requirements() -> dict[str, str]:
    """What has to hold for a job to be taken, by the file that says it."""
    return {file: banner(text)["What"] for file, text in _files() if _REQUIREMENT.search(text)}


def page() -> str:
    """Parameters, then attributes, then refusals."""
    return writing.page(_parts())


def _parts() -> Iterator[str]:
    yield "## Parameters of the templates"
    for template, said in PARAMETERS.items():
        yield f"### {template}"
        yield said
        rows = [(writing.codes(names.split(", ")), writing.plain(said)) for names, said in parameters(template).items()]
        yield writing.table(("parameter", "meaning"), rows)
    yield "## Attributes that the access points write"
    never = kept()
    yield writing.table(
        ("attribute", "at submit", "may change later", "file"),
        [
            (
                writing.code(name),
                "; ".join(dict.fromkeys(verb for verb, _ in how)),
                "no" if name in never else "yes",
                writing.codes(file for _, file in how),
            )
            for name, how in sorted(written().items())
        ],
    )
    yield f"Immutable as well: {writing.codes(sorted(never - written().keys()))}."
    yield "## What has to hold"
    yield writing.table(
        ("rule", "file"),
        [(writing.plain(said), writing.code(file)) for file, said in requirements().items()],
    )


def _files() -> Iterator[tuple[str, str]]:
    for file in sorted(shipped("condor_config.d").glob("*.conf")):
        yield file.name, file.read_text().replace("\\\n", " ")
