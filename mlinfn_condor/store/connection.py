"""Connections: bounded in time, in UTC, and errors in one line that names the server but never a password."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo

from mlinfn_condor.store.errors import StoreError, StoreUnreachable

PATIENCE: dict[str, str | int] = {
    "connect_timeout": 10,  # s, for each address of the server
    "keepalives_idle": 30,  # s of silence, then probes
    "keepalives_interval": 10,  # s between probes
    "keepalives_count": 3,  # unanswered probes, then the connection is over
    "tcp_user_timeout": 60_000,  # ms that sent data may stay unacknowledged: a cable that was pulled is noticed
}
"""What libpq would wait for without end. A DSN that names one of them has its way."""


def connect(dsn: str, *, autocommit: bool = False, application: str = "mlinfn") -> psycopg.Connection:
    """A connection in time zone UTC; `application` is what pg_stat_activity shows. Raises StoreUnreachable."""
    parts: dict[str, str | int | None] = {**PATIENCE, "application_name": application, **_parts(dsn)}
    parts["options"] = f"{parts.get('options') or ''} -c TimeZone=UTC".strip()
    try:
        return psycopg.connect(make_conninfo("", **parts), autocommit=autocommit)
    except psycopg.OperationalError as error:
        raise StoreUnreachable(
            f"no way into {place(dsn)}: {_reason(error)}; is the server up (`mlinfn db status`), is the DSN right?"
        ) from error


def in_database(dsn: str, name: str) -> str:
    """Another database of the same server."""
    return make_conninfo(dsn, dbname=name)


def place(dsn: str) -> str:
    """The database for a person's eyes: who, where, which, and no password."""
    parts = _parts(dsn)
    where = parts.get("host") or parts.get("hostaddr") or "the local PostgreSQL"
    port = f":{parts['port']}" if parts.get("port") and not str(where).startswith("/") else ""
    who = f" as {parts['user']}" if parts.get("user") else ""
    return f"database {parts.get('dbname') or parts.get('user') or 'of this user'} at {where}{port}{who}"


def environment(dsn: str) -> dict[str, str]:
    """The DSN as libpq's variables, e.g. for psql: a password in an argument could be read by all of the machine."""
    options = Conninfo.parse(dsn.encode())
    return {o.envvar.decode(): o.val.decode() for o in options if o.envvar is not None and o.val is not None}


@contextmanager
def told_in_one_line(what: str, kind: type[StoreError] = StoreError) -> Iterator[None]:
    """Turn PostgreSQL's refusal inside the block into one line that begins with `what`."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise kind(f"{what}: {_reason(error)}; use a role with more rights in the DSN") from error
    except psycopg.Error as error:
        raise kind(f"{what}: {_reason(error)}") from error


def _parts(dsn: str) -> dict[str, str | int | None]:
    try:
        return conninfo_to_dict(dsn)
    except psycopg.ProgrammingError as error:
        raise StoreUnreachable(
            f"this is no DSN of PostgreSQL ({_reason(error)}): write postgresql://user@host:port/database"
        ) from error


def _reason(error: psycopg.Error) -> str:
    """PostgreSQL's own words on one line; of several attempts the last."""
    if error.diag.message_primary:
        detail = f" ({error.diag.message_detail})" if error.diag.message_detail else ""
        return f"{error.diag.message_primary}{detail}".replace("\n", " ")
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    failed = [line for line in lines if "failed:" in line]
    return (failed or lines or [type(error).__name__])[-1]
