"""An API server, spoken to with the official client's configuration, identity and wire.

Answers stay plain JSON: making the client's models of 2,000 pods costs seconds, and nothing here wants them.
"""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.kube.api import METHOD, Call, Json
from mlinfn_condor.kube.bindings import ApiClient, ApiException, ConfigException, Configuration
from mlinfn_condor.kube.patience import Patience
from mlinfn_condor.kube.refusals import PASSING, KubeDenied, KubeUnavailable, KubeUntrusted, refusal

BLOCK = 65_536
"""Bytes read at once at most."""


class RealApi:
    """Carries calls over HTTPS. One per process is enough; threads may share it."""

    def __init__(self, configuration: Configuration, patience: Patience) -> None:
        configuration.retries = False  # asking again is decided here, where what was asked is known
        self._client = ApiClient(configuration)
        self._client.user_agent = f"mlinfn-condor/{version('mlinfn-condor')}"
        self._patience = patience

    def call(self, call: Call) -> Json:
        """See Api."""
        until = time.monotonic() + self._patience.deadline
        for pause in self._patience.pauses():
            answered = self._attempt(call, until)
            if isinstance(answered, dict):
                return answered
            error, asked_for = answered
            pause = max(pause, asked_for)
            if time.monotonic() + pause >= until:
                raise error
            time.sleep(pause)
        raise AssertionError("pauses have no end")

    def stream(self, call: Call) -> "RealStream":
        """See Api."""
        silence = float(call.query["timeoutSeconds"]) + self._patience.silence
        try:
            response = self._send(call, silence)
            if response.status != 200:
                raise refusal(call, response.status, _status(self._body(response, time.monotonic() + silence)))
        except (HTTPError, ApiException, OSError) as error:
            raise _unavailable(call, error) from error
        return RealStream(call, response)

    def _attempt(self, call: Call, until: float) -> Json | tuple[MlinfnError, float]:
        """The answer; or what went wrong, where asking again may help, and after how many seconds the server says."""
        try:
            read = max(0.001, min(self._patience.read, until - time.monotonic()))
            response = self._send(call, read)
            body = self._body(response, until + read)
            if 200 <= response.status < 300:
                found = json.loads(body)
                return found if isinstance(found, dict) else (KubeUnavailable(f"no answer to {call.words}"), 0.0)
        except (HTTPError, ApiException, OSError, ValueError) as error:
            unavailable = _unavailable(call, error)
            if isinstance(unavailable, KubeUntrusted):
                raise unavailable from error
            return unavailable, 0.0
        refused = refusal(call, response.status, _status(body))
        if response.status not in PASSING:
            raise refused
        asked_for = response.headers.get("Retry-After", "")
        return refused, float(asked_for) if asked_for.isdecimal() else 0.0

    def _send(self, call: Call, read: float) -> HTTPResponse:
        try:
            method, url, headers, body, form = self._client.param_serialize(
                method=METHOD[call.verb],
                resource_path=call.path,
                query_params=list(call.query.items()),
                header_params={"Accept": "application/json", "Content-Type": "application/json"},
                body=call.body,
                auth_settings=["BearerToken"],
            )
        except ConfigException as error:
            raise KubeDenied(f"our identity for the API server cannot be renewed: {error}") from error
        answered = self._client.call_api(
            method, url, headers, body, form, _request_timeout=(self._patience.connect, read)
        )
        response: HTTPResponse = answered.response
        return response

    def _body(self, response: HTTPResponse, until: float) -> bytes:
        """All of an answer. A server that trickles is cut off at the deadline: sockets only time silence."""
        body = bytearray()
        try:
            while block := response.read1(BLOCK):
                body += block
                if time.monotonic() > until:
                    raise TimeoutError("its answer does not end")
        except BaseException:
            response.close()
            raise
        response.release_conn()
        return bytes(body)


class RealStream:
    """A watch's lines, as they come."""

    def __init__(self, call: Call, response: HTTPResponse) -> None:
        self._call, self._response, self._closed = call, response, False

    def __iter__(self) -> Iterator[Json]:
        rest = b""
        try:
            while block := self._response.read1(BLOCK):
                *lines, rest = (rest + block).split(b"\n")
                yield from (json.loads(line) for line in lines if line.strip())
        except (HTTPError, OSError, ValueError) as error:
            if not self._closed:
                raise _unavailable(self._call, error) from error
        except AttributeError:  # of Python's ssl, when another thread closes between two of its lines
            if not self._closed:
                raise
        if rest and not self._closed:
            raise KubeUnavailable(f"{self._call.words}: the wire was cut in the middle of an object")

    def close(self) -> None:
        """See Stream."""
        self._closed = True
        # It has ended already; TypeError of urllib3, when it does so at this very moment.
        with suppress(ValueError, RuntimeError, OSError, TypeError):
            self._response.shutdown()  # a close alone would wait for the thread that reads

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._response.close()


def _status(body: bytes) -> Json:
    """The Status object of a refusal; what a proxy in between says is taken for its message."""
    try:
        found: Any = json.loads(body)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"message": body.decode(errors="replace").strip()[:200]}


def _unavailable(call: Call, error: Exception) -> KubeUnavailable:
    words = str(getattr(error, "reason", "") or error).strip().replace("\n", ": ")
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return KubeUntrusted(
            "the API server's certificate is not signed by an authority that we know: "
            f"give the right certificate-authority in the kubeconfig ({words})"
        )
    return KubeUnavailable(f"no answer to {call.words}: {words}")
