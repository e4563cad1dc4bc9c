"""The link to the dashboard: what somebody said, what works, or what is missing."""

import pytest

from mlinfn_condor.dask import dashboard
from mlinfn_condor.session import dashboards

SESSION = {"JUPYTERHUB_SERVICE_PREFIX": "/user/alice/"}


def link(environment, said=dashboard.DASKS_OWN, bokeh=True, proxy=True):
    return dashboard.link(environment, said, bokeh=bokeh, proxy=proxy)


def test_a_session_has_it_behind_the_hubs_proxy():
    assert link(SESSION).format(port=1, **SESSION) == "/user/alice/proxy/1/status"


def test_elsewhere_it_is_on_the_loopback_of_the_machine():
    assert link({}).format(scheme="http", host="10.0.0.1", port=1) == "http://127.0.0.1:1/status"


def test_what_somebody_said_is_left_alone():
    assert link(SESSION, "https://site/{port}", proxy=False) == "https://site/{port}"


def test_a_missing_package_is_named():
    with pytest.raises(dashboard.NoDashboard, match="bokeh"):
        link({}, bokeh=False)
    with pytest.raises(dashboard.NoDashboard, match="jupyter-server-proxy"):
        link(SESSION, proxy=False)


def test_a_session_tells_its_kernels_of_a_link_only_where_the_node_has_the_proxy(monkeypatch):
    told = {}
    monkeypatch.setattr(dashboards, "find_spec", lambda name: None)
    assert dashboards.offered(told) == {}
    assert told == {}
    monkeypatch.setattr(dashboards, "find_spec", lambda name: name)
    assert dashboards.offered(told) == {"jupyter_server_proxy": True}
    assert told == {dashboards.VARIABLE: dashboard.PROXIED}


def test_a_sites_own_link_stays(monkeypatch):
    told = {dashboards.VARIABLE: "https://site/{port}"}
    monkeypatch.setattr(dashboards, "find_spec", lambda name: name)
    dashboards.offered(told)
    assert told == {dashboards.VARIABLE: "https://site/{port}"}
