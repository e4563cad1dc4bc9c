"""The folder in which a session and whoever started it meet."""

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mlinfn_condor.errors import BadRequest, JobHeld, Timeout
from mlinfn_condor.session.folder import Server, SessionFolder, answers, prepare, wait_until_answering

SERVER = Server("http://127.0.0.1:1/", 1, 4711, "nodea", "1.0", ["GPU-1"], 1000.0)


class OnlyWithToken(http.server.BaseHTTPRequestHandler):
    token = ""

    def do_GET(self) -> None:
        allowed = self.headers["Authorization"] == f"token {self.token}" and self.path == "/api/status"
        self.send_response(200 if allowed else 403)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def folder(tmp_path: Path) -> SessionFolder:
    return prepare(tmp_path, "one")


@pytest.fixture
def answering(folder: SessionFolder) -> Iterator[Server]:
    handler = type("Handler", (OnlyWithToken,), {"token": folder.token()})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        port = server.server_address[1]
        yield replace(SERVER, url=f"http://127.0.0.1:{port}/", port=port)
        server.shutdown()
        thread.join()


def test_only_the_user_may_look_into_it(folder: SessionFolder, tmp_path: Path) -> None:
    assert folder.path == tmp_path / ".mlinfn/sessions/one"
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.token_file.stat().st_mode & 0o777 == 0o600


def test_each_session_has_a_token_of_its_own(folder: SessionFolder, tmp_path: Path) -> None:
    assert folder.token() != prepare(tmp_path, "two").token()
    assert len(folder.token()) >= 32


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o602])
def test_a_token_that_others_can_reach_is_refused(folder: SessionFolder, mode: int) -> None:
    folder.token_file.chmod(mode)
    with pytest.raises(BadRequest, match="others"):
        folder.token()


@pytest.mark.parametrize("content", ["", "short\n"])
def test_a_token_that_can_be_guessed_is_refused(folder: SessionFolder, content: str) -> None:
    folder.token_file.write_text(content)
    with pytest.raises(BadRequest, match="32"):
        folder.token()


def test_a_missing_token_names_its_cure(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="mlinfn submit session"):
        SessionFolder(tmp_path).token()


@pytest.mark.parametrize("name", ["", "../up", "a/b", "UPPER", "a b", "-x", "x" * 33, "$(id)", "one\n"])
def test_a_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadRequest, match="session name"):
        prepare(tmp_path, name)


def test_what_is_published_can_be_read_until_it_is_withdrawn(folder: SessionFolder) -> None:
    folder.publish(SERVER)
    assert folder.server() == SERVER
    folder.withdraw()
    assert folder.server() is None


def test_the_token_is_not_published(folder: SessionFolder) -> None:
    folder.publish(SERVER)
    assert folder.token() not in folder.server_file.read_text()


@pytest.mark.parametrize("content", ["", "{}", "[]"])
def test_a_foreign_file_is_named(folder: SessionFolder, content: str) -> None:
    folder.server_file.write_text(content)
    with pytest.raises(BadRequest, match=r"server\.json"):
        folder.server()


def test_a_server_answers_only_to_who_has_the_token(folder: SessionFolder, answering: Server) -> None:
    assert answers(answering, folder.token())
    assert not answers(answering, "another")


def test_a_server_that_is_gone_does_not_answer() -> None:
    assert not answers(SERVER, "token")


def test_waiting_ends_with_the_first_answer(folder: SessionFolder, answering: Server) -> None:
    folder.publish(answering)
    assert wait_until_answering(folder, seconds=60) == answering


def test_waiting_ends_at_the_deadline(folder: SessionFolder) -> None:
    with pytest.raises(Timeout, match="did not answer within"):
        wait_until_answering(folder, seconds=0.1)


def test_waiting_ends_when_there_is_nothing_left_to_wait_for(folder: SessionFolder) -> None:
    def held() -> None:
        raise JobHeld("no disk")

    with pytest.raises(JobHeld):
        wait_until_answering(folder, seconds=30, still_coming=held)


def test_a_running_session_keeps_its_name(folder: SessionFolder, answering: Server, tmp_path: Path) -> None:
    folder.publish(answering)
    with pytest.raises(BadRequest, match=r"running as job 1\.0"):
        prepare(tmp_path, "one")


def test_the_name_of_a_dead_session_is_free_again(folder: SessionFolder, tmp_path: Path) -> None:
    folder.publish(SERVER)
    old = folder.token()
    assert prepare(tmp_path, "one").token() != old
    assert folder.server() is None


def test_what_a_newer_session_tells_besides_does_not_matter(folder: SessionFolder) -> None:
    folder.publish(SERVER)
    told = json.loads(folder.server_file.read_text())
    folder.server_file.write_text(json.dumps(told | {"weather": "fine"}))
    assert folder.server() == SERVER
