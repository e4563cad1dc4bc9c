"""A notebook as a browser drives it: pages, kernels and cells over the session's HTTP and websocket."""

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import websocket

from mlinfn_condor.session.folder import Server

ANSWER_SECONDS = 30
"""How long the server may take for one request, and a kernel to say something."""


@dataclass
class Cell:
    """What a cell has put into the notebook: each output, updated in place as on the screen."""

    outputs: list[str] = field(default_factory=list)
    status: str = ""


class Kernel:
    """A Python that runs in the session."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self._socket = socket

    def run(self, code: str, changed: Callable[[Cell], object] = lambda _cell: None) -> Cell:
        """Run a cell to its end; `changed` sees the cell after each change. A silent kernel raises TimeoutError."""
        cell, ask = Cell(), uuid.uuid4().hex
        self._socket.send(json.dumps(_execute_request(ask, code)))
        places: dict[str, int] = {}
        idle = False
        while not (cell.status and idle):
            message = json.loads(self._socket.recv())
            if message["parent_header"].get("msg_id") != ask:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "execute_reply":
                cell.status = content["status"]
            elif kind == "status":
                idle = content["execution_state"] == "idle"
            elif _show(cell, places, kind, content):
                changed(cell)
        return cell


@dataclass(frozen=True)
class Notebook:
    """A session's JupyterLab, for somebody who has its token."""

    server: Server
    token: str

    def status(self, page: str = "lab") -> int:
        """HTTP status of a page."""
        try:
            with self._request(page) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    @contextmanager
    def kernel(self) -> Iterator[Kernel]:
        """A new kernel, for the length of the block."""
        with self._request("api/kernels", {"name": "python3"}) as answer:
            kernel = json.loads(answer.read())["id"]
        address = f"{self.server.url.replace('http', 'ws', 1)}api/kernels/{kernel}/channels"
        socket = websocket.create_connection(
            address, header=[f"Authorization: token {self.token}"], timeout=ANSWER_SECONDS
        )
        try:
            yield Kernel(socket)
        finally:
            socket.close()

    def shut_down(self) -> None:
        """End the session, as File → Shut Down does."""
        with self._request("api/shutdown", {}):
            pass

    def _request(self, path: str, content: object = None) -> Any:
        request = urllib.request.Request(  # noqa: S310
            self.server.url + path,
            data=None if content is None else json.dumps(content).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        return urllib.request.urlopen(request, timeout=ANSWER_SECONDS)  # noqa: S310


def _execute_request(ask: str, code: str) -> dict[str, object]:
    return {
        "header": {"msg_id": ask, "msg_type": "execute_request", "session": ask, "username": "", "version": "5.3"},
        "content": {
            "code": code,
            "silent": False,
            "store_history": True,
            "allow_stdin": False,
            "stop_on_error": True,
        },
        "channel": "shell",
        "parent_header": {},
        "metadata": {},
        "buffers": [],
    }


def _show(cell: Cell, places: dict[str, int], kind: str, content: dict[str, Any]) -> bool:
    """Put an output where the screen would; False for a message that changes nothing there."""
    if kind == "stream":
        cell.outputs.append(content["text"])
    elif kind == "error":
        cell.outputs.append("\n".join(content["traceback"]))
    elif kind == "update_display_data":
        cell.outputs[places[content["transient"]["display_id"]]] = content["data"]["text/plain"]
    elif kind in {"display_data", "execute_result"}:
        places[content.get("transient", {}).get("display_id", "")] = len(cell.outputs)
        cell.outputs.append(content["data"]["text/plain"])
    else:
        return False
    return True
