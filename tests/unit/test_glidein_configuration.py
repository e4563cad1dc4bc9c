"""The configuration that a glidein writes for its startd."""

import pytest

from mlinfn_condor.glidein import configuration
from mlinfn_condor.glidein.children import environment
from mlinfn_condor.glidein.layout import Layout
from mlinfn_condor.glidein.orders import Orders
from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import Device
from mlinfn_condor.node.images import make_test_image


@pytest.fixture
def orders(tmp_path):
    return Orders("g", "t4", "cm:9618", "pool", tmp_path / "tokens", tmp_path / "w", numbers={"IDLE_SECONDS": 5})


@pytest.mark.parametrize(
    ("address", "version_4", "version_6"), [("10.1.2.3", "true", "false"), ("fd00::1", "false", "true")]
)
def test_it_listens_on_its_address_and_nowhere_else(orders, address, version_4, version_6):
    text = configuration.first(Orders(**{**vars(orders), "address": address}))
    wanted = {f"NETWORK_INTERFACE = {address}", "BIND_ALL_INTERFACES = false"}
    wanted |= {f"ENABLE_IPV4 = {version_4}", f"ENABLE_IPV6 = {version_6}"}
    assert wanted <= set(text.splitlines())


def test_without_an_address_htcondor_finds_its_own(orders):
    assert "NETWORK_INTERFACE" not in configuration.first(orders)


def test_a_number_that_it_was_told_is_written_last(orders):
    assert "MLINFN_GLIDEIN_IDLE_SECONDS = 5" in configuration.first(orders)


@pytest.mark.parametrize(("pool", "domain"), [("", "pool"), ("tier1", "g")])
def test_in_a_pool_of_others_it_shares_no_file_system(orders, pool, domain):
    text = configuration.root(Layout(orders.work), Orders(**{**vars(orders), "pool": pool}))
    assert f"FILESYSTEM_DOMAIN = {domain}" in text.splitlines()
    assert "UID_DOMAIN = pool" in text.splitlines()


def test_policy_comes_first_then_its_own_files_then_the_sites(orders, tmp_path):
    text = configuration.root(Layout(orders.work), Orders(**{**vars(orders), "site_config": tmp_path / "site.conf"}))
    lines = dict(line.split(" = ", 1) for line in text.splitlines())
    policy, glidein = lines["LOCAL_CONFIG_DIR"].split(", ")
    assert [policy.rpartition("/")[2], glidein.rpartition("/")[2]] == ["condor_config.d", "config.d"]
    assert lines["LOCAL_CONFIG_FILE"] == f"{tmp_path}/site.conf, {orders.work}/etc/own.conf"


def test_devices_are_in_both_inventories(orders):
    devices = (Device("GPUs", "GPU-1", "T4", "T4", 15000, True), Device("FPGAs", "FPGA-1", "U50", "U50", 8000, True))
    layout = Layout(orders.work)
    files = dict(configuration.files(layout, orders, Node("g", 4, 8000, devices)))
    assert "MLINFN_GLIDEIN_DEVICES = T4:1,U50:1\n" in files[layout.own_config]
    assert 'DetectedGPUs="GPU-1"' in files[layout.inventory("GPUs")]
    assert 'DetectedFPGAs="FPGA-1"' in files[layout.inventory("FPGAs")]


def test_its_daemons_inherit_neither_orders_nor_another_pool(orders):
    own = {"PATH": "/bin", "MLINFN_GLIDEIN_TOKENS": "/t", "CONDOR_CONFIG": "/other", "_CONDOR_LOG": "/other"}
    layout = Layout(orders.work)
    assert environment(own, layout) == {
        "PATH": "/bin",
        "CONDOR_CONFIG": str(layout.condor_config),
        "MLINFN_GLIDEIN_OF": str(orders.work),
    }


def test_the_test_image_has_the_places_that_images_have(tmp_path):
    shipped = tmp_path / "libexec/singularity_test_sandbox"
    shipped.mkdir(parents=True)
    (shipped / "exit_37").write_text("program")
    make_test_image(tmp_path / "libexec", tmp_path / "image")
    assert (tmp_path / "image/exit_37").read_text() == "program"
    assert (tmp_path / "image/dev").is_dir()
    make_test_image(tmp_path / "none", tmp_path / "other")
    assert not (tmp_path / "other").exists()
