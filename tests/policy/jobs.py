"""Made-up jobs, as condor_submit would send them."""

from policy import Ad, Expression

PLAIN: Ad = {
    "Owner": "alice",
    "AuthTokenSubject": "alice@demo",
    "JobUniverse": 5,
    "Cmd": "/usr/bin/env",
    "RequestCpus": 1,
    "RequestMemory": 1024,
    "RequestDisk": 1024,
}


def job(**attributes: object) -> Ad:
    """A plain job of alice with these attributes instead; None takes one out."""
    wanted = {**PLAIN, **attributes}
    if "Owner" in attributes and "AuthTokenSubject" not in attributes:
        wanted["AuthTokenSubject"] = f"{attributes['Owner']}@demo"
    return {name: value for name, value in wanted.items() if value is not None}


def session(**attributes: object) -> Ad:
    """A session that the hub submits in the name of alice."""
    return job(**{"PriorityClass": "interactive", "AuthTokenSubject": "hub@demo", **attributes})


def written(text: str) -> Expression:
    """An attribute that the user wrote as an expression."""
    return Expression(text)
