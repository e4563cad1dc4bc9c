"""What a model of settings says of its fields: name, kind, default, bounds, and the text under each."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
_KINDS = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path", Any: "anything"}


@dataclass(frozen=True)
class Field:
    """One setting, in words."""

    name: str
    kind: str
    default: str
    """As TOML; empty: it has to be said, or there is none."""
    required: bool
    meaning: str
    models: tuple[tuple[str, type[BaseModel]], ...]
    """Models within it, each with what a path to it goes on with: nothing, `.NAME`, or `[]` for one of a list."""


def fields(model: type[BaseModel]) -> Iterator[Field]:
    """In their order."""
    said = texts(model)
    for name, field in model.model_fields.items():
        yield Field(
            name,
            ", ".join([kind_of(field.annotation), *_bounds(field)]),
            _default(field),
            field.is_required(),
            said.get(name, ""),
            tuple(_models(field.annotation)),
        )


def texts(model: type[BaseModel]) -> dict[str, str]:
    """The text under each field, those of the classes that it is made of included."""
    said: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if not issubclass(one, BaseModel) or one.__module__.startswith("pydantic"):
            continue
        source = ast.parse(textwrap.dedent(inspect.getsource(one))).body[0]
        assert isinstance(source, ast.ClassDef)  # noqa: S101 - of a class
        for field, text in pairwise(source.body):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                    said[name] = " ".join(words.split())
    return said


def kind_of(annotation: Any) -> str:
    """What may stand there, in words of TOML."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kind_of(parts[0])
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(kind_of(part) for part in parts if part is not NoneType))
    if origin is Literal:
        return ", ".join(str(part) for part in parts)
    if origin in (list, tuple):
        return f"list of {kind_of(parts[0])}" if parts else "list"
    if origin is dict:
        return f"table: {kind_of(parts[1])} by name"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(str(one.value) for one in annotation)
    return _KINDS.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _bounds(field: FieldInfo) -> Iterator[str]:
    for told in field.metadata:
        for name, sign in _BOUNDS.items():
            if (bound := getattr(told, name, None)) is not None:
                yield f"{sign} {bound}"


def _default(field: FieldInfo) -> str:
    if field.is_required() or field.default_factory or field.default in (None, PydanticUndefined):
        return ""
    return _toml(field.default)


def _toml(value: Any) -> str:
    if isinstance(value, BaseModel) or value in ({}, [], (), ""):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    return str(value) if isinstance(value, int | float) else f'"{value}"'


def _models(annotation: Any, path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    origin, parts = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield path, annotation
    elif origin in (list, tuple):
        yield from _models(parts[0], f"{path}[]")
    elif origin is dict:
        yield from _models(parts[1], f"{path}.{_placeholder(parts[0])}")
    elif origin in (Annotated, Union, UnionType):
        for part in parts if origin is not Annotated else parts[:1]:
            yield from _models(part, path)


def _placeholder(key: Any) -> str:
    """What stands for a name that the site chooses, or for one of a few: `CLASS`, of PriorityClass."""
    return (
        re.findall("[A-Z][a-z]+", key.__name__)[-1].upper()
        if isinstance(key, type) and issubclass(key, Enum)
        else "NAME"
    )
