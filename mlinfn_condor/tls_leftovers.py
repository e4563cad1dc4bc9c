"""The failure of one TLS connection kept apart from the others, where Tornado serves many in one thread.

A peer that hangs up without a word leaves two errors in a queue of the thread, from OpenSSL 3.4 on (Debian 13). Python
raises one of them and leaves the other (CPython issue 148594), and whichever connection has nothing to read next fails
with it, be it ever so sound. Loaded by Dask as well, before its schedulers and workers listen.
"""

import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

from tornado.iostream import SSLIOStream

_CALLS = ("_do_ssl_handshake", "read_from_fd", "write_to_fd")
"""Of Tornado's, those that call OpenSSL."""
_EMPTIER = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def forget() -> None:
    """Empty this thread's queue: Python does so when it refuses ciphers, and has no call for it."""
    with suppress(ssl.SSLError):
        _EMPTIER.set_ciphers("none-of-this-name")


def _alone(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def leaving_nothing(*arguments: Any) -> Any:
        try:
            return call(*arguments)
        except OSError:  # ssl.SSLError too
            forget()
            raise

    return leaving_nothing


for _name in _CALLS:
    if not hasattr(_known := getattr(SSLIOStream, _name), "__wrapped__"):
        setattr(SSLIOStream, _name, _alone(_known))
