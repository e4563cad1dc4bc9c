"""The hub as JupyterHub starts it: pages that do not answer do not end it, and it asks them as a client."""

import asyncio
from types import SimpleNamespace

import pytest
from jupyterhub.app import JupyterHub

from mlinfn_condor.hub.application import Hub


@pytest.mark.parametrize(
    ("ready", "url", "goes_on"), [(True, "https://x", True), (False, "https://x", True), (False, "", False)]
)
def test_only_a_service_without_pages_ends_the_hub_when_it_cannot_be_started(monkeypatch, ready, url, goes_on):
    seen = []

    async def start_service(self, name, service, ssl_context=None):
        seen.append(ssl_context)
        return ready

    monkeypatch.setattr(JupyterHub, "start_service", start_service)
    service = SimpleNamespace(url=url)
    listening = object()
    assert asyncio.run(Hub().start_service("pool", service, listening)) is goes_on
    assert seen == [None]  # JupyterHub makes a client's context then
