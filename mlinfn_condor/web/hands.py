"""In whose name something is done in the pool: always that of the person who asks, so that the pool itself refuses."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from mlinfn_condor.embedded.secrets import write_private
from mlinfn_condor.hub.tokens import Issuer
from mlinfn_condor.pool import Pool
from mlinfn_condor.pool.apart import Asked, PoolApart

Done = TypeVar("Done")
TOKEN_SECONDS = 60
"""Of the token that is signed for one act."""


class Hands(Protocol):
    """Acts for people."""

    async def act(self, user: str, question: Callable[[Pool], Done]) -> Done:
        """What `question` returns, asked with the rights of `user`. Raises MlinfnError."""
        ...


class OwnHands:
    """With the rights that this process has: for the one person who runs it."""

    def __init__(self, apart: Asked) -> None:
        self._apart = apart

    async def act(self, user: str, question: Callable[[Pool], Done]) -> Done:
        """See Hands."""
        return await self._apart.ask(question)


class SignedHands:
    """With a token of the person's own, signed for a minute: access points refuse others' jobs by themselves."""

    def __init__(self, issuer: Issuer, seconds: float) -> None:
        self._issuer, self._seconds = issuer, seconds

    async def act(self, user: str, question: Callable[[Pool], Done]) -> Done:
        """See Hands. Raises also BadRequest for a name that is no person's."""
        now = int(time.time())
        token = self._issuer.token(user, now + TOKEN_SECONDS, now)
        with tempfile.TemporaryDirectory(prefix="mlinfn-") as folder:
            write_private(Path(folder) / "token", token.text.encode())
            apart = PoolApart(self._seconds, {"_CONDOR_SEC_TOKEN_DIRECTORY": folder})
            try:
                return await apart.ask(question)
            finally:
                await apart.close()
