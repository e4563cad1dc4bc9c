"""The pods of a pool, known from a watch: a turn of the loop asks the API server nothing when nothing happens.

Lists are made by whoever asks, the watch is read by a thread. Correctness rests on the lists alone: a watch that was
cut, is late, or tells of what is older than the last list only means that the next question lists again.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.kube import Change, ChangeKind, Kube, Pod, VersionGone, Watch
from mlinfn_condor.kube.patience import Patience
from mlinfn_condor.provisioning.backends.kubernetes.clock import running

WATCH_SECONDS = 45
"""How long the API server serves one watch: so old may the news be at most if the wire breaks in silence."""
SOON = 1.0
"""Seconds: a watch that ended sooner is no reason to begin the next one at once."""


class Following:
    """What pods there are, as of now or at most WATCH_SECONDS and `patience.silence` ago."""

    def __init__(
        self,
        kube: Kube,
        selector: str,
        *,
        watch: bool = True,
        seconds: int = WATCH_SECONDS,
        patience: Patience | None = None,
        clock: Callable[[], float] = running,
    ) -> None:
        """Without `watch` every question lists: for who asks once."""
        self._watching = watch
        self._kube, self._selector, self._seconds, self._clock = kube, selector, seconds, clock
        self._patience = patience or Patience()
        self._changed = threading.Condition(threading.RLock())
        self._pods: dict[str, Pod] = {}
        self._version = ""
        self._lists = 0
        """Counts the lists: news of a watch that began before the last one are old."""
        self._watched = False
        self._heard = 0.0
        self._watch: Watch | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    def pods(self) -> list[Pod]:
        """All there are. Raises what Kube raises when they are not known and cannot be asked for."""
        with self._changed:
            if not self._fresh:
                self._list()
            if self._watching and self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._follow, name="glidein-pods", daemon=True)
                self._thread.start()
            return list(self._pods.values())

    @contextmanager
    def writing(self) -> Iterator[Callable[[Pod], None]]:
        """While we change pods: what is passed on is known at once, and no news can overtake it."""
        with self._changed:
            yield self._keep

    def forget(self) -> None:
        """The next question lists, whatever the watch says."""
        with self._changed:
            self._lists += 1
            self._drop()

    def wait_for(self, wanted: Callable[[list[Pod]], bool], seconds: float) -> bool:
        """Wait until the pods are as wanted, as far as the watch tells; whether they are. Lists nothing."""
        with self._changed:
            return self._changed.wait_for(lambda: wanted(list(self._pods.values())), seconds)

    def wait_until_watched(self, seconds: float) -> bool:
        """Wait until questions cost nothing; whether they do."""
        with self._changed:
            return self._changed.wait_for(lambda: self._fresh, seconds)

    def close(self) -> None:
        """Stop watching."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            watch, thread = self._watch, self._thread
        if watch is not None:
            watch.close()
        if thread is not None:
            thread.join(self._patience.connect)

    @property
    def _fresh(self) -> bool:
        trusted = self._seconds + self._patience.silence
        return bool(self._version) and self._watched and self._clock() - self._heard <= trusted

    def _list(self) -> None:
        listing = self._kube.pods(self._selector)
        self._pods = {pod.name: pod for pod in listing.pods}
        self._lists += 1
        self._drop()
        self._version = listing.version
        self._changed.notify_all()

    def _drop(self) -> None:
        """What is known counts no more, nor what the watch of it still tells."""
        self._version, self._watched = "", False
        if self._watch is not None:
            self._watch.close()

    def _keep(self, pod: Pod) -> None:
        self._pods[pod.name] = pod

    def _follow(self) -> None:
        pauses = self._patience.pauses()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._version)
                if self._closed:
                    return
                lists, version = self._lists, self._version
            began = self._clock()
            try:
                self._read_one(lists, version)
                if self._clock() - began >= SOON:
                    pauses = self._patience.pauses()
                    continue
            except MlinfnError as error:
                with self._changed:
                    self._watched = False
                    if isinstance(error, VersionGone) and lists == self._lists:
                        self._drop()
                    self._changed.notify_all()
            self._wait_for_list(lists, next(pauses))

    def _wait_for_list(self, lists: int, seconds: float) -> None:
        """A pause, which a new list ends: then the server answers again."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._lists != lists, seconds)

    def _read_one(self, lists: int, version: str) -> None:
        """One watch, until its time is over or its news are old."""
        with self._kube.watch_pods(self._selector, version, self._seconds) as watch:
            with self._changed:
                if self._closed or self._lists != lists:
                    return
                self._watch, self._watched, self._heard = watch, True, self._clock()
                self._changed.notify_all()
            try:
                for change in watch:
                    if not self._take(change, lists):
                        return
            finally:
                with self._changed:
                    self._watch = None

    def _take(self, change: Change, lists: int) -> bool:
        with self._changed:
            if self._closed or self._lists != lists:
                return False
            self._heard = self._clock()
            self._version = change.version or self._version
            if change.pod is not None:
                known = self._pods.get(change.pod.name)
                if change.kind is not ChangeKind.DELETED:
                    # What a write of ours answered may be newer than what the watch, a moment behind, still tells.
                    if known is None or not change.pod.is_older_than(known):
                        self._pods[change.pod.name] = change.pod
                elif known is not None and known.uid == change.pod.uid:
                    del self._pods[change.pod.name]
            self._changed.notify_all()
            return True
