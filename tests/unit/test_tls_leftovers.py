"""One TLS connection's failure is not told of another."""

import asyncio
import ctypes
import socket
import ssl

import pytest
import trustme
from tornado.iostream import SSLIOStream, StreamClosedError
from tornado.tcpserver import TCPServer

from mlinfn_condor import tls_leftovers

SECONDS = 60


@pytest.fixture
def queue():
    """OpenSSL's own, of the library that Python uses."""
    try:
        library = ctypes.CDLL("libcrypto.so.3")
    except OSError:
        pytest.skip("this Python has OpenSSL within")
    library.ERR_peek_error.restype = ctypes.c_ulong
    library.ERR_clear_error()
    yield library
    library.ERR_clear_error()


def leave_one(library):
    library.ERR_new()
    library.ERR_set_error(20, 294, None)  # SSL, "unexpected EOF while reading"


def test_what_a_failure_left_is_forgotten(queue):
    leave_one(queue)
    assert queue.ERR_peek_error() != 0
    tls_leftovers.forget()
    assert queue.ERR_peek_error() == 0


@pytest.mark.parametrize("call", ["read_from_fd", "write_to_fd", "_do_ssl_handshake"])
def test_tornados_failures_leave_nothing(queue, call, monkeypatch):
    def fails(*_):
        leave_one(queue)
        raise BrokenPipeError

    monkeypatch.setattr(SSLIOStream, call, tls_leftovers._alone(fails))
    with pytest.raises(BrokenPipeError):
        getattr(SSLIOStream, call)(None, bytearray(8))
    assert queue.ERR_peek_error() == 0
    assert all(hasattr(getattr(SSLIOStream, each), "__wrapped__") for each in tls_leftovers._CALLS)


class Echo(TCPServer):
    """Says what it hears, until its client goes."""

    async def handle_stream(self, stream, address):
        try:
            while True:
                await stream.write(await stream.read_bytes(4))
        except StreamClosedError:
            self.gone.set()


def contexts():
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    return server, client


async def others_end(count):
    """What a quiet client hears while others ask twice and hang up before they are answered; all in one thread."""
    with_server, with_client = contexts()
    echo = Echo(ssl_options=with_server)
    echo.listen(0, "127.0.0.1")
    port = next(iter(echo._sockets.values())).getsockname()[1]

    async def come():
        stream = SSLIOStream(socket.socket(), ssl_options=with_client)
        await stream.connect(("127.0.0.1", port), server_hostname="127.0.0.1")
        await stream.write(b"here")
        assert await stream.read_bytes(4) == b"here"
        return stream

    quiet, heard = await come(), []
    for _ in range(count):
        other, echo.gone = await come(), asyncio.Event()
        await other.write(b"datadata")
        other.close()
        await asyncio.wait_for(echo.gone.wait(), SECONDS)
        await quiet.write(b"well")
        heard.append(await quiet.read_bytes(4))
    quiet.close()
    echo.stop()
    return heard


def test_a_quiet_connection_outlives_those_that_hang_up():
    assert asyncio.run(others_end(20)) == [b"well"] * 20
