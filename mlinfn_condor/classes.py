"""The three kinds of payload, in order of precedence."""

from enum import StrEnum


class PriorityClass(StrEnum):
    """What a job is to the pool; the one attribute a job states, everything else follows from it in the schedd."""

    INTERACTIVE = "interactive"
    """A JupyterLab session: a person waits in front of it. Displaces the other two."""
    DASK = "dask"
    """A Dask worker: a person waits for its result. Displaces batch."""
    BATCH = "batch"
    """Opportunistic training: gets every gap, gives way to everybody, loses no more than since its checkpoint."""

    @property
    def access_point(self) -> str:
        """Name of the schedd that takes this class. Sessions have their own, so that it can react to each submit."""
        return "interactive@" if self is PriorityClass.INTERACTIVE else "batch@"

    @property
    def accounting_group(self) -> str:
        """Top of the class's subtree in the negotiator's accounting groups."""
        return f"group_{self.value}"
