"""The real client before an API server that dies, hangs, lies and stutters: seeded and bounded."""

import random
import ssl
import time
from contextlib import suppress
from dataclasses import replace

import pytest
import yaml
from kube_benches import PATIENT, QUICK, SELECTOR, manifest
from kube_standin import ApiServer, Fault
from lived import lived

from mlinfn_condor.errors import UserError
from mlinfn_condor.kube import AlreadyExists, KubeUnavailable, Verb, VersionGone, connect
from mlinfn_condor.kube.patience import Patience
from mlinfn_condor.kube.refusals import KubeUntrusted
from mlinfn_condor.kube.twin import TwinCluster

BROKEN = ["status", "cut", "truncate", "garbage"]
LONGEST = QUICK.deadline + QUICK.read + 1
"""Seconds: more than this no call may take, whatever the server does."""


@pytest.fixture
def server():
    running = ApiServer(TwinCluster())
    yield running
    running.stop()


@pytest.fixture
def gate(server, tmp_path):
    return connect(server.kubeconfig(tmp_path / "kubeconfig"), patience=PATIENT)


@pytest.fixture
def quick(server, tmp_path):
    return connect(server.kubeconfig(tmp_path / "quick"), patience=QUICK)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_server_that_recovers_within_the_deadline_goes_unnoticed(server, gate, kind):
    server.faults = [Fault(kind, times=2)]
    assert gate.pods(SELECTOR).pods == ()
    assert server.faults[0].times == 0


@pytest.mark.parametrize("kind", BROKEN)
def test_a_server_that_stays_broken_is_given_up_at_the_deadline(server, quick, kind):
    server.faults = [Fault(kind, times=10_000)]
    with lived() as seconds, pytest.raises(KubeUnavailable, match="list pods in namespace mlinfn"):
        quick.pods(SELECTOR)
    assert seconds() < LONGEST


@pytest.mark.parametrize("kind", ["hang", "trickle"])
def test_a_server_that_keeps_us_waiting_is_given_up_at_the_deadline(server, tmp_path, kind):
    short = Patience(connect=1, read=0.3, deadline=0.5, first_pause=0.01, longest_pause=0.1)
    gate = connect(server.kubeconfig(tmp_path / "short"), patience=short)
    server.faults = [Fault(kind, times=10_000)]
    with lived() as seconds, pytest.raises(KubeUnavailable):
        gate.pods(SELECTOR)
    assert seconds() < 3


def test_a_busy_server_says_when_to_come_back_and_is_obeyed(server, gate):
    server.faults = [Fault("status", status=429, retry_after=1)]
    began = time.monotonic()
    gate.pods(SELECTOR)
    assert time.monotonic() - began >= 1


def test_a_server_that_wants_more_time_than_there_is_is_not_waited_for(server, gate):
    server.faults = [Fault("status", status=503, retry_after=3600)]
    with lived() as seconds, pytest.raises(KubeUnavailable):
        gate.pods(SELECTOR)
    assert seconds() < 1


def test_a_refusal_is_not_asked_again(server, gate):
    server.faults = [Fault("status", status=422, times=10)]
    with pytest.raises(Exception, match="a fault"):
        gate.create_pod(manifest("one"))
    assert server.faults[0].times == 9


@pytest.mark.parametrize("kind", ["cut", "truncate", "status"])
def test_a_pod_whose_making_was_not_confirmed_is_made_once(server, gate, kind):
    server.faults = [Fault(kind, Verb.CREATE, after=True)]
    with pytest.raises(AlreadyExists):
        gate.create_pod(manifest("one"))
    assert server.cluster.pod_names() == ["one"]


def test_a_removal_that_was_not_confirmed_is_done(server, gate):
    pod = gate.create_pod(manifest("one"))
    server.faults = [Fault("cut", Verb.DELETE, after=True)]
    assert gate.delete_pod(pod) is None
    assert server.cluster.pod_names() == []


def test_pages_that_went_stale_are_read_from_the_start(server, tmp_path):
    gate = connect(server.kubeconfig(tmp_path / "kubeconfig"), patience=PATIENT)
    gate._page = 2
    for number in range(5):
        gate.create_pod(manifest(f"pod-{number}"))
    answers, serve = [], server.cluster.serve

    def forgetful(user, call):
        answers.append(call)
        if len(answers) == 2:
            server.cluster.forget()
        return serve(user, call)

    server.cluster.serve = forgetful
    assert len(gate.pods(SELECTOR).pods) == 5
    assert len(answers) == 2 + 3


def test_a_server_that_forgets_every_page_is_given_up(server, gate):
    gate._page = 2
    for number in range(5):
        gate.create_pod(manifest(f"pod-{number}"))
    serve = server.cluster.serve

    def forgetful(user, call):
        if call.query.get("continue"):
            server.cluster.forget()
        return serve(user, call)

    server.cluster.serve = forgetful
    with pytest.raises(KubeUnavailable, match="forgets"):
        gate.pods(SELECTOR)


def test_a_watch_whose_wire_breaks_says_so_and_goes_on_from_its_last_version(server, gate):
    version = gate.pods(SELECTOR).version
    gate.create_pod(manifest("one"))
    with gate.watch_pods(SELECTOR, version, 30) as watch:
        changes = iter(watch)
        first = next(changes)
        server.cut_watches()
        with pytest.raises(KubeUnavailable, match="watch pods"):
            next(changes)
    gate.create_pod(manifest("two"))
    with gate.watch_pods(SELECTOR, first.version, 30) as watch:
        assert next(iter(watch)).pod.name == "two"


def test_a_silent_wire_is_cut_after_the_watchs_time(server, tmp_path):
    short = replace(PATIENT, silence=0.2)
    gate = connect(server.kubeconfig(tmp_path / "short"), patience=short)
    version = gate.pods(SELECTOR).version
    server.faults = [Fault("hang", Verb.WATCH)]
    with (
        lived() as seconds,
        pytest.raises(KubeUnavailable),
        gate.watch_pods(SELECTOR, version, 1) as watch,
    ):
        list(watch)
    assert seconds() < 5


def test_a_watch_that_another_thread_closes_in_the_middle_of_reading_just_ends(server, gate, monkeypatch):
    watch = gate.watch_pods(SELECTOR, gate.pods(SELECTOR).version, 30)
    read = ssl.SSLSocket.read

    def closed_meanwhile(self, *how):
        if self.server_side:
            return read(self, *how)
        watch.close()
        return self._sslobj.read(*how)  # Python's own words, after it has looked whether there is one

    monkeypatch.setattr(ssl.SSLSocket, "read", closed_meanwhile)
    assert list(watch) == []


def test_a_watch_that_ends_while_another_thread_closes_it_is_closed(server, gate):
    watch = gate.watch_pods(SELECTOR, gate.pods(SELECTOR).version, 30)
    response = watch._stream._response

    class Ending(type(response)):
        @property
        def _connection(self):
            self._sock_shutdown = None  # what the thread that reads to the end does now
            return "of a moment ago"

    response.__class__ = Ending
    watch.close()


def test_bookmarks_carry_a_quiet_watch_past_what_is_forgotten(server, gate):
    version = gate.pods(SELECTOR).version
    with gate.watch_pods(SELECTOR, version, 30) as watch:
        changes = iter(watch)
        server.cluster.bookmark()
        later = next(changes).version
    server.cluster.forget()
    with pytest.raises(VersionGone), gate.watch_pods(SELECTOR, version, 1) as watch:
        list(watch)
    assert int(later) > int(version)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_server_does_each_pod_is_made_once_and_removed(server, gate, seed):
    dice = random.Random(seed)
    kinds = [*BROKEN, "none", "none"]
    names = [f"pod-{number}" for number in range(8)]

    def trouble():
        kind = dice.choice(kinds)
        server.faults = [] if kind == "none" else [Fault(kind, times=dice.randrange(1, 3), after=dice.random() < 0.5)]

    for name in names:
        trouble()
        with suppress(AlreadyExists):  # made by an attempt whose answer was lost
            gate.create_pod(manifest(name))
    server.faults = []
    found = {pod.name: pod for pod in gate.pods(SELECTOR).pods}
    assert sorted(found) == names
    for pod in found.values():
        trouble()
        gate.delete_pod(pod)
    assert server.cluster.pod_names() == []


def test_it_says_who_it_is(server, gate):
    gate.pods(SELECTOR)
    assert {agent.partition("/")[0] for agent in server.agents} == {"mlinfn-condor"}


def test_a_server_with_another_authority_is_told_nothing(server, tmp_path):
    stranger = ApiServer(TwinCluster())
    try:
        path = server.kubeconfig(tmp_path / "kubeconfig")
        theirs = yaml.safe_load(stranger.kubeconfig(tmp_path / "other").read_text())["clusters"][0]["cluster"]["server"]
        there = yaml.safe_load(path.read_text())
        there["clusters"][0]["cluster"]["server"] = theirs
        path.write_text(yaml.safe_dump(there))
        with pytest.raises(KubeUntrusted, match="certificate-authority"):
            connect(path, patience=PATIENT).pods(SELECTOR)
        assert stranger.cluster.calls == []
        assert stranger.agents == set()
    finally:
        stranger.stop()


def test_a_server_by_another_name_than_its_certificates_is_told_nothing(server, tmp_path):
    path = server.kubeconfig(tmp_path / "kubeconfig")
    path.write_text(path.read_text().replace("127.0.0.1", "localhost"))
    with pytest.raises(KubeUntrusted):
        connect(path, patience=PATIENT).pods(SELECTOR)
    assert server.agents == set()


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_tls_that_is_not_verified_is_refused_unless_the_site_wants_it(server, tmp_path):
    path = server.kubeconfig(tmp_path / "kubeconfig", **{"insecure-skip-tls-verify": True})
    with pytest.raises(UserError, match="insecure-skip-tls-verify"):
        connect(path)
    assert connect(path, unverified_tls=True, patience=PATIENT).pods(SELECTOR).pods == ()


def test_a_server_without_tls_is_refused(server, tmp_path):
    path = server.kubeconfig(tmp_path / "kubeconfig", server="http://127.0.0.1:1")
    with pytest.raises(UserError, match="https"):
        connect(path)


def test_without_a_cluster_there_is_one_sentence():
    with pytest.raises(UserError, match="--kubeconfig"):
        connect()


@pytest.mark.parametrize("text", ["", "no: kubeconfig", "clusters: [", "[]"])
def test_a_file_that_is_no_kubeconfig_is_named(tmp_path, text):
    (path := tmp_path / "kubeconfig").write_text(text)
    with pytest.raises(UserError, match="kubeconfig"):
        connect(path, namespace="ai")


def test_a_kubeconfig_that_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match="nowhere"):
        connect(tmp_path / "nowhere", namespace="ai")


def test_a_context_that_is_missing_is_named(server, tmp_path):
    with pytest.raises(UserError, match="elsewhere"):
        connect(server.kubeconfig(tmp_path / "kubeconfig"), context="elsewhere")


def test_the_namespace_is_the_contexts_unless_one_is_given(server, tmp_path):
    path = server.kubeconfig(tmp_path / "kubeconfig")
    assert connect(path).namespace == "mlinfn"
    assert connect(path, namespace="ai").namespace == "ai"


def test_in_a_pod_the_service_account_is_used(server, tmp_path, monkeypatch):
    from mlinfn_condor.kube import bindings, connecting  # noqa: F401, I001 - first: it imports the client quickly
    from kubernetes.config import incluster_config

    server.authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    (tmp_path / "token").write_text("provisioner")
    (tmp_path / "namespace").write_text("mlinfn")
    host, port = server._server.server_address
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(port))
    monkeypatch.setattr(connecting, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    gate = connect(patience=PATIENT)
    assert gate.namespace == "mlinfn"
    assert gate.pods(SELECTOR).pods == ()
