"""The node template for sites that make nodes by hand: valid TOSCA, and orders that the entrypoint understands."""

import re
import subprocess

import pytest
import yaml
from toscaparser.common.exception import ValidationError
from toscaparser.tosca_template import ToscaTemplate

from mlinfn_condor.glidein import orders
from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.provisioning.backends.manual import ManualBackend
from mlinfn_condor.provisioning.nodes import NodeKind
from mlinfn_condor.shipped import shipped

FOLDER = shipped("glidein") / "tosca"
TEMPLATE = FOLDER / "glidein.yaml"
INPUTS = {"name": "t4-1", "kind": "t4", "collector": "cm.example:9618", "domain": "pool", "cpus": 6, "memory": "60 GB"}


def test_it_is_valid_tosca():
    template = ToscaTemplate(str(TEMPLATE), INPUTS)
    assert {node.name for node in template.nodetemplates} == {"machine", "glidein"}


def test_it_takes_what_the_manual_back_end_asks_an_administrator_for(tmp_path):
    asking = ManualBackend(tmp_path, {"collector": "cm.example:9618", "domain": "pool", "site": "here"})
    asking.start("t4-1", NodeKind("t4", 6, 61440, DeviceKind.GPU, "T4", 2, "alpha", most=1), warm=True)
    (request,) = tmp_path.glob("*.yaml")
    template = ToscaTemplate(str(TEMPLATE), yaml.safe_load(request.read_text()))
    told = {each.name: template.parsed_params.get(each.name) for each in template.inputs}
    assert {
        "name": "t4-1",
        "devices": "T4:2",
        "owner_project": "alpha",
        "warm": True,
        "cpus": 6,
    }.items() <= told.items()
    assert {each.name for each in template.inputs if each.required and each.default is None} <= set(
        template.parsed_params
    )


@pytest.mark.parametrize("name", ["kind", "num_cpus"])
def test_a_misspelt_property_would_be_noticed(tmp_path, name):
    text = TEMPLATE.read_text().replace(f"        {name}: {{get_input", f"        {name}x: {{get_input")
    assert text != TEMPLATE.read_text()
    (tmp_path / "glidein.yaml").write_text(text)
    (tmp_path / "start").touch()
    with pytest.raises(ValidationError):
        ToscaTemplate(str(tmp_path / "glidein.yaml"), INPUTS)


def test_the_entrypoint_understands_what_it_tells(tmp_path):
    glidein = yaml.safe_load(TEMPLATE.read_text())["topology_template"]["node_templates"]["glidein"]
    variables = glidein["interfaces"]["Standard"]["start"]["inputs"]
    values = {"COLLECTOR": "cm.example:9618", "DEVICES": "T4:1", "IDLE_SECONDS": "300", "WARM": "false"}
    values |= {"TOKENS": str(tmp_path), "WORK": "/var/lib/mlinfn/work"}
    told = {name: values.get(name.removeprefix(orders.PREFIX), "x") for name in variables}
    assert orders.read(told).warm is False


def test_it_holds_no_secret():
    assert not re.search(r"eyJ|BEGIN |password:", TEMPLATE.read_text())


def test_its_script_is_a_shell_script():
    assert subprocess.run(["sh", "-n", FOLDER / "start"], check=False).returncode == 0
