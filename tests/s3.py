"""A real S3 server for tests: SeaweedFS, which refuses wrong keys and keeps what it is given."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlinfn_condor.backup import program
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.errors import InstallFailed
from mlinfn_condor.settings import Settings

READY_SECONDS = 60
KEY, SECRET = "backup", "only-of-this-test-run"
_LISTENERS = ("master", "volume", "filer", "s3")


@dataclass(frozen=True)
class S3:
    """A server that answers."""

    url: str
    folder: Path

    @property
    def credentials(self) -> Path:
        return self.keys(SECRET)

    def keys(self, secret: str) -> Path:
        """A file as a site has it."""
        file = self.folder / f"credentials-{secret}"
        file.touch(mode=0o600)
        file.write_text(f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {secret}\n")
        return file

    def repository(self, bucket: str) -> str:
        return f"s3:{self.url}/{bucket}"


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def s3_server(folder: Path) -> Iterator[S3]:
    """Up until the block ends; a skip on a laptop without it, a failure in CI."""
    program = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        if os.environ.get("MLINFN_REQUIRE_DAEMONS"):
            pytest.fail("there is no weed: the extra `test` brings it")
        pytest.skip("there is no weed: the extra `test` brings it")
    (folder / "data").mkdir(parents=True)
    keys = [{"accessKey": KEY, "secretKey": SECRET}]
    identities = [{"name": "backup", "credentials": keys, "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]
    (folder / "identities.json").write_text(json.dumps({"identities": identities}))
    ports = dict(
        zip([f"{name}.port{kind}" for name in _LISTENERS for kind in ("", ".grpc")], _free_ports(8), strict=True)
    )
    command = [program, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder / 'data'}", "-filer", "-s3"]
    command += [f"-s3.config={folder / 'identities.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    command += ["-master.telemetry=false", "-master.volumeSizeLimitMB=1024", "-volume.max=20"]
    command += [f"-filer.localSocket={folder / 'filer.sock'}"]
    command += [f"-{name}={port}" for name, port in ports.items()]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env={"HOME": str(folder), "PATH": os.defpath}, stdout=log, stderr=log
        )
    try:
        _wait_until_it_answers(process, ports["s3.port"], folder / "log")
        yield S3(f"http://127.0.0.1:{ports['s3.port']}", folder)
    finally:
        process.kill()
        process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the S3 server did not come up: {log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="session")
def restic_program() -> Path:
    try:
        return program.ensure(Settings(), SilentReport())
    except InstallFailed as error:
        if os.environ.get("MLINFN_REQUIRE_DAEMONS"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    folder = Path(tempfile.mkdtemp(prefix="mlinfn-s3-"))
    with s3_server(folder) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)
