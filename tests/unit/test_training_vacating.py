"""SIGTERM opens the window, wakes whoever waits for it, and does not end the process."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from mlinfn_condor.training.vacating import LEFT_EARLY, leaving


def test_closed_until_sigterm_and_open_ever_after():
    with leaving() as window:
        assert not window.opened
        signal.raise_signal(signal.SIGTERM)
        assert window.opened
        assert window.opened


def test_waiting_ends_when_the_window_opens():
    with leaving() as window:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
        began = time.monotonic()
        assert window.wait(60)
        assert time.monotonic() - began < 30


def test_waiting_ends_by_itself():
    with leaving() as window:
        assert not window.wait(0.01)


def test_many_signals_are_one():
    with leaving() as window:
        for _ in range(70_000):  # more than a pipe holds
            signal.raise_signal(signal.SIGTERM)
        assert window.opened


def test_afterwards_sigterm_does_what_it_did_before():
    before = signal.getsignal(signal.SIGTERM)
    with leaving():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_leaving_ends_the_process_with_its_status():
    script = "from mlinfn_condor.training.vacating import leaving\nwith leaving() as window: window.leave()"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == LEFT_EARLY


def test_leaving_passes_through_the_cleaning_up_of_the_loop():
    with pytest.raises(SystemExit) as left, leaving() as window:
        window.leave()
    assert left.value.code == LEFT_EARLY
