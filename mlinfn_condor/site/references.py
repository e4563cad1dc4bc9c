"""Secrets of a site file: named, never told. What stands in the file may be reviewed, mailed and kept in git."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

DATABASE_PASSWORDS = "mlinfn-database"
"""Secret with a line of ~/.pgpass for each role of the database: keys owner, recorder, reports, schedules, identity,
rest; and owner-password for the rendered server."""
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_REFERENCE = re.compile(rf"{_NAME.pattern}/[A-Za-z0-9._-]{{1,253}}")


class Section(BaseModel):
    """A table of the site file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _names_a_secret(text: str) -> str:
    # The text may be the secret itself: it is not repeated.
    if not _NAME.fullmatch(text):
        raise ValueError("this is no name of a Secret: write the name of a Kubernetes Secret, as `mlinfn-database`")
    return text


def _refers_to_a_secret(text: str) -> str:
    if not _REFERENCE.fullmatch(text):
        raise ValueError(
            "this is no reference: a secret never stands here. Put it into a Kubernetes Secret "
            "(kubectl create secret generic NAME --from-file=KEY=FILE) and write NAME/KEY"
        )
    return text


SecretName = Annotated[str, AfterValidator(_names_a_secret)]
"""A Kubernetes Secret in the site's namespace."""
SecretReference = Annotated[str, AfterValidator(_refers_to_a_secret)]
"""`NAME/KEY`: one key of a Kubernetes Secret in the site's namespace."""


def secret_of(reference: str) -> str:
    """Name of the Secret."""
    return reference.partition("/")[0]


def key_of(reference: str) -> str:
    """Key in it."""
    return reference.partition("/")[2]
