"""A notebook as the browser drives it, for tests: cells over the session's HTTP and websocket."""

import json
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import websocket

from mlinfn_condor.session.folder import Server

SECONDS = 60


@dataclass
class Cell:
    """What a cell has put into the notebook so far, updates in place included."""

    outputs: list[str] = field(default_factory=list)
    status: str = ""


class Kernel:
    """One kernel of the session, over the same HTTP and websocket as the browser's."""

    def __init__(self, server: Server, token: str) -> None:
        self.server, self.token = server, token
        self.id = self.post("api/kernels", {"name": "python3"})["id"]
        url = f"ws://127.0.0.1:{server.port}/api/kernels/{self.id}/channels"
        self.socket = websocket.create_connection(url, header=[f"Authorization: token {token}"], timeout=SECONDS)

    def post(self, path: str, content: object = None) -> Any:
        request = urllib.request.Request(
            self.server.url + path,
            data=json.dumps(content).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return json.loads(answer.read() or "null")

    def run(self, code: str, meanwhile: Callable[[Cell], object] = lambda _: None) -> Cell:
        """Execute; `meanwhile` sees the cell after each change."""
        cell, ask = Cell(), uuid.uuid4().hex
        header = {"msg_id": ask, "msg_type": "execute_request", "session": ask, "username": "", "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        empty: dict[str, object] = {"parent_header": {}, "metadata": {}, "buffers": []}
        self.socket.send(json.dumps({"header": header, "content": content, "channel": "shell"} | empty))
        places: dict[str, int] = {}
        idle = False
        while not (cell.status and idle):
            message = json.loads(self.socket.recv())
            if message["parent_header"].get("msg_id") != ask:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "execute_reply":
                cell.status = content["status"]
            elif kind == "status":
                idle = content["execution_state"] == "idle"
            elif kind == "stream":
                cell.outputs.append(content["text"])
            elif kind == "error":
                cell.outputs.append("\n".join(content["traceback"]))
            elif kind in {"display_data", "update_display_data", "execute_result"}:
                place = content.get("transient", {}).get("display_id")
                if kind == "update_display_data":
                    cell.outputs[places[place]] = content["data"]["text/plain"]
                else:
                    places[place] = len(cell.outputs)
                    cell.outputs.append(content["data"]["text/plain"])
            meanwhile(cell)
        return cell
