"""Stands in for JupyterLab where a bench needs hundreds of sessions: answers, reports and ends as one does, no more.

`stand_in.py JUPYTERHUB_VERSION -m mlinfn_condor.session.server --folder FOLDER …`, the latter as the job has it. What a
session costs its hub is all there: server.json, activity.json every 30 s, and a note to the hub every 300 s.
"""

import argparse
import json
import os
import signal
import ssl
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

from mlinfn_condor.session import exchange
from mlinfn_condor.session.activity import FILE, Activity, Signal
from mlinfn_condor.session.folder import Server, SessionFolder
from mlinfn_condor.session.job import Job

REPORT_SECONDS = 30
NOTE_REPORTS = 10
"""A note to the hub with every so many reports: 300 s, as JupyterHub's own server does."""


def handler(version: str) -> type[BaseHTTPRequestHandler]:
    """Answers 200 to every GET, and tells the hub that it is of its version."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"version": version}).encode()
            self.send_response(200)
            self.send_header("X-JupyterHub-Version", version)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Answer


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--ip", default="127.0.0.1")
    arguments, _ = parser.parse_known_args(sys.argv[2:])
    folder = SessionFolder(arguments.folder)
    environment = folder.environment()
    server = ThreadingHTTPServer((arguments.ip, 0), handler(sys.argv[1]))
    if "JUPYTERHUB_SSL_KEYFILE" in environment:
        server.socket = _tls(environment, ssl.Purpose.CLIENT_AUTH).wrap_socket(server.socket, server_side=True)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    _publish(folder, server.server_port, arguments.ip, environment)
    threading.Thread(target=_report, args=(folder, environment), daemon=True).start()
    server.serve_forever()


def _publish(folder: SessionFolder, port: int, ip: str, environment: dict[str, str]) -> None:
    job = Job.around(os.environ)
    scheme = "https" if "JUPYTERHUB_SSL_KEYFILE" in environment else "http"
    url = f"{scheme}://{ip}:{port}{environment.get('JUPYTERHUB_SERVICE_PREFIX', '/')}"
    devices = [device.id for device in job.devices]
    folder.publish(Server(url, port, os.getpid(), job.node or "", job.id, devices, time.time()))


def _report(folder: SessionFolder, environment: dict[str, str]) -> None:
    started, reports = time.time(), 0
    while True:
        now = time.time()
        with suppress(OSError):
            exchange.write(folder.path, FILE, Activity(now, started, Signal(started), person=now).as_json())
        if reports % NOTE_REPORTS == 0:
            with suppress(OSError):
                _note(environment, now)
        reports += 1
        time.sleep(REPORT_SECONDS)


def _note(environment: dict[str, str], now: float) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    name = environment.get("JUPYTERHUB_SERVER_NAME", "")
    told = {"servers": {name: {"last_activity": stamp}}, "last_activity": stamp}
    headers = {
        "Authorization": f"token {environment['JUPYTERHUB_API_TOKEN']}",
        "Content-Type": "application/json",
    }
    request = Request(environment["JUPYTERHUB_ACTIVITY_URL"], json.dumps(told).encode(), headers)  # noqa: S310
    tls = _tls(environment, ssl.Purpose.SERVER_AUTH) if "JUPYTERHUB_SSL_KEYFILE" in environment else None
    urlopen(request, timeout=30, context=tls).close()  # noqa: S310 - the hub's own address


def _tls(environment: dict[str, str], purpose: ssl.Purpose) -> ssl.SSLContext:
    """As a session does: it shows its certificate, and wants the other side's."""
    context = ssl.create_default_context(purpose, cafile=environment["JUPYTERHUB_SSL_CLIENT_CA"])
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(environment["JUPYTERHUB_SSL_CERTFILE"], environment["JUPYTERHUB_SSL_KEYFILE"])
    return context


if __name__ == "__main__":
    main()
