"""Reading a site's settings: a TOML file into a model, every mistake told at once with its place."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mlinfn_condor.errors import BadRequest

Model = TypeVar("Model", bound=BaseModel)


def read(path: Path, model: type[Model]) -> Model:
    """The settings in this file. Raises BadRequest."""
    try:
        told: dict[str, Any] = tomllib.loads(path.read_text())
    except OSError as error:
        raise BadRequest(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"{path} is no TOML: {error}") from error
    try:
        return model.model_validate(told)
    except ValidationError as error:
        raise BadRequest(f"{path}: {'; '.join(map(sentence, error.errors()))}") from error


def sentence(mistake: Any) -> str:
    """A mistake that pydantic found, with its place."""
    where = ".".join(str(part) for part in mistake["loc"] if part != "[key]")
    return f"{where}{': ' if where else ''}{mistake['msg'].removeprefix('Value error, ')}"
