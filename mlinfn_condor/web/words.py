"""How figures stand in the pages."""

from datetime import datetime

from mlinfn_condor.submission.phrases import clock, span

SAID = {
    "session": "session",
    "dask": "Dask",
    "batch": "batch",
    "free": "free",
    "handing over": "hand-over",
    "broken": "broken",
    "interactive": "sessions",
    "none": "no class",
}


def said(use: str) -> str:
    """A class or use for people."""
    return SAID.get(use, use)


def css(use: str) -> str:
    """The same as the name of a style."""
    return {"interactive": "session", "handing over": "handover"}.get(use, use)


def seconds(epoch: float) -> str:
    """Local time of day, to the second."""
    return datetime.fromtimestamp(epoch).astimezone().strftime("%H:%M:%S")


__all__ = ["clock", "css", "said", "seconds", "span"]
