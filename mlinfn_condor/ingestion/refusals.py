"""Refusals in PostgREST's form: `{code, message, details, hint}`, and the status that belongs to a code."""

from dataclasses import dataclass, field
from typing import Any

from mlinfn_condor.store import Error, StoreUnreachable

BAD_REQUEST, UNAUTHORISED, FORBIDDEN, NOT_FOUND, CONFLICT, SERVER, UNAVAILABLE = 400, 401, 403, 404, 409, 500, 503
RETRY_SECONDS = "5"
"""What a client is told to wait for a database or a provider that is away."""
_EXACT = {
    "23503": CONFLICT, "23505": CONFLICT, "25006": 405, "42883": NOT_FOUND, "42P01": NOT_FOUND, "42501": FORBIDDEN,
    "57P01": UNAVAILABLE, "57P02": UNAVAILABLE, "57P03": UNAVAILABLE, "42P17": SERVER, "21000": SERVER,
    "P0001": BAD_REQUEST,
}  # fmt: skip
_BY_CLASS = {
    "08": UNAVAILABLE, "09": SERVER, "0L": FORBIDDEN, "0P": FORBIDDEN, "25": SERVER, "28": FORBIDDEN, "2D": SERVER,
    "38": SERVER, "39": SERVER, "3B": SERVER, "40": SERVER, "53": UNAVAILABLE, "54": SERVER, "55": SERVER, "57": SERVER,
    "58": SERVER, "F0": SERVER, "HV": SERVER, "P0": SERVER, "XX": SERVER,
}  # fmt: skip


@dataclass(eq=False)
class Refusal(Exception):
    """What a client is answered instead of what it asked for; nothing was written."""

    status: int
    code: str
    message: str
    details: str | None = None
    hint: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """As it is sent."""
        return {"code": self.code, "message": self.message, "details": self.details, "hint": self.hint}


def not_covered(what: str) -> Refusal:
    """PostgREST could; the front end does not."""
    return Refusal(
        BAD_REQUEST, "PGRST127", "Feature not implemented", what, "docs/ingestion.md lists what there is instead of it"
    )


def unparsed(what: str) -> Refusal:
    """The address cannot be understood."""
    return Refusal(BAD_REQUEST, "PGRST100", f'"failed to parse {what[:200]}"')


def bad_body(why: str) -> Refusal:
    """The body cannot be understood."""
    return Refusal(BAD_REQUEST, "PGRST102", why)


def invalid_token(code: str, message: str) -> Refusal:
    """Whoever shows this token is nobody."""
    challenge = {"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{message}"'}
    return Refusal(UNAUTHORISED, code, message, headers=challenge)


def no_token() -> Refusal:
    """Nothing is offered to strangers."""
    return Refusal(UNAUTHORISED, "PGRST302", "Anonymous access is disabled", headers={"WWW-Authenticate": "Bearer"})


def away(what: str, why: str) -> Refusal:
    """To be tried again; the same request can be sent again as it is."""
    return Refusal(UNAVAILABLE, "PGRST001", f"{what} is away", why, headers={"Retry-After": RETRY_SECONDS})


def of_database(error: Error | StoreUnreachable) -> Refusal:
    """What PostgreSQL said. Codes PTnnn are ours (and any PostgREST's): the status nnn."""
    if isinstance(error, StoreUnreachable):
        return away("The database", "it does not answer, or lets nobody in")
    code, told = error.sqlstate or "", error.diag
    if not code:
        return away("The database", "the connection to it broke")
    if code.startswith("PT") and code[2:].isdigit():
        status = int(code[2:])
    else:
        status = _EXACT.get(code, _BY_CLASS.get(code[:2], BAD_REQUEST))
    headers = {"Retry-After": RETRY_SECONDS} if status == UNAVAILABLE else {}
    if status == UNAUTHORISED:
        headers = {"WWW-Authenticate": "Bearer"}
    return Refusal(status, code, told.message_primary or "", told.message_detail, told.message_hint, headers)
