"""Reading what a site wrote: TOML into a model, every mistake told at once with its place."""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mlinfn_condor.errors import BadRequest, SettingsWrong

Model = TypeVar("Model", bound=BaseModel)


def read(path: Path, model: type[Model]) -> Model:
    """The settings in this file. Raises BadRequest."""
    return parse(text_of(path), str(path), model)


def parse(text: str, source: str, model: type[Model]) -> Model:
    """The settings in this text. Raises BadRequest with every mistake and its place, a line each."""
    try:
        return model.model_validate(tables(text, source))
    except ValidationError as error:
        raise refusal(source, sentences(error)) from error


def text_of(path: Path) -> str:
    """What the file says. Raises BadRequest."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path} is no TOML: {error}") from error


def tables(text: str, source: str) -> dict[str, Any]:
    """The tables as they stand there. Raises BadRequest."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRequest(f"{source} is no TOML: {error}") from error


def sentences(error: ValidationError, within: Iterable[str] = ()) -> Iterator[str]:
    """Each mistake that the model found: place and sentence. A validator may tell several, a line each."""
    for mistake in error.errors():
        where = ".".join([*within, *(str(part) for part in mistake["loc"] if part != "[key]")])
        for line in mistake["msg"].removeprefix("Value error, ").splitlines():
            yield f"{where}{': ' if where else ''}{line}"


def refusal(source: str, mistakes: Iterable[str]) -> SettingsWrong:
    """All of them in one error."""
    told = list(mistakes)
    if len(told) == 1:
        return SettingsWrong(f"{source}: {told[0]}")
    return SettingsWrong("\n  ".join([f"{source}: {len(told)} mistakes", *told]))
