"""Pages of reference that are made from the code have all of it."""

import re
import sys
from pathlib import Path

import pytest
from command_lines import leaves

from mlinfn_condor.shipped import shipped

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))

from generating import (  # noqa: E402
    alarms,
    attributes,
    commands,
    configuration,
    database,
    filled,
    metrics,
    models,
    numbers,
    settings,
)

ALARM = re.compile(r"\bkinds\.([A-Z_]+)")


def test_commands_has_every_command_option_and_example():
    page = commands.page()
    for words, command in leaves():
        assert f"### {words}\n" in page
        for each in command.params:
            if not getattr(each, "hidden", False) and "--help" not in each.opts:
                assert each.opts[-1].lower() in page.lower()
    assert page.count("Example: `") >= len(list(leaves()))


def models_within(model):
    """It and all sections in it."""
    yield model
    for field in models.fields(model):
        for _, within in field.models:
            yield from models_within(within)


FILES = [one for file in settings.FILES.values() for one in models_within(file)]


def test_settings_has_every_field_of_every_file_and_of_the_environment():
    page = settings.page()
    for model in {*FILES}:
        for field in models.fields(model):
            assert f"`{field.name}`" in page or field.models, f"{model.__name__}.{field.name}"
    for model in settings.ENVIRONMENT:
        for name in model.model_fields:
            assert f"`{model.model_config['env_prefix']}{name}".upper() in page.upper()


def test_no_variable_of_the_environment_is_left_out():
    declared = re.compile(r"^class (\w+)\(BaseSettings\)", re.MULTILINE)
    ours = {name for path in (ROOT / "mlinfn_condor").rglob("*.py") for name in declared.findall(path.read_text())}
    assert ours == {model.__name__ for model in settings.ENVIRONMENT}


def test_no_file_of_settings_is_left_out():
    """Whatever somebody reads a file into is on the page, or is part of what is."""
    read = re.compile(r"(?:settings_file\.read|settings_file\.parse|\bread|\bparse)\([^()]*, (\w+)\)")
    names = {
        name
        for path in (ROOT / "mlinfn_condor").rglob("*.py")
        if "settings_file" in path.read_text()
        for name in read.findall(path.read_text())
        if name[:1].isupper()
    }
    known = {model.__name__ for model in (*FILES, *settings.SAME)}
    # An alias, the generic parameter, and files that take one section of the site's.
    assert names - known - {"SettingsFile", "Model"} <= {"ProvisioningSettings"}


@pytest.mark.parametrize(
    "model", sorted({*FILES, *settings.ENVIRONMENT}, key=lambda one: (one.__module__, one.__qualname__))
)
def test_a_setting_says_what_it_is(model):
    """In the text under it, unless it is a section, which says so itself."""
    assert model.__doc__
    silent = [field.name for field in models.fields(model) if not field.meaning and not field.models]
    assert silent == []


def test_numbers_has_every_macro_of_both_files_and_each_says_what_it_is():
    page = numbers.page()
    for folder in configuration.folders().values():
        for name in numbers.FILES:
            if (file := folder / name).exists():
                told = list(numbers.numbers(file.read_text()))
                assert [one for _, one, _, _ in told] == re.findall(r"^(MLINFN_\w+) *=", file.read_text(), re.MULTILINE)
                assert [one for _, one, _, said in told if not said] == []
                assert all(f"`{one}`" in page for _, one, _, _ in told)


def test_configuration_has_every_file_with_what_why_and_who():
    page = configuration.page()
    for folder in configuration.folders().values():
        for file in folder.iterdir():
            told = configuration.banner(file.read_text())
            assert f"### {file.name}\n" in page
            assert {"What", "Who", "Site", "Test"} <= told.keys(), file.name
            assert not re.search(r"\b(What|Why|Who|Site|Test): ", " ".join(told.values())), file.name


def test_metrics_has_every_name_that_is_declared_anywhere():
    declared = re.compile(r'(?:Gauge|Counter|Histogram)\(\s*"(mlinfn_\w+)"')
    everywhere = {
        name for path in (ROOT / "mlinfn_condor").rglob("*.py") for name in declared.findall(path.read_text())
    }
    assert everywhere == {one.name for module in metrics.SOURCES.values() for one in metrics.declared(module)}
    assert all(f"`{name}`" in metrics.page() for name in everywhere)


@pytest.mark.parametrize("template", attributes.PARAMETERS)
def test_every_parameter_that_a_template_takes_is_told_at_its_head(template):
    text = (shipped("submit_templates") / template).read_text()
    body = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    own = {*re.findall(r"^([a-z_]+) *=", body, re.MULTILINE)}
    taken = {*re.findall(r"\$\(([a-z_]+)[:)]", body), *re.findall(r"defined ([a-z_]+)", body)} - own
    told = {name for names in attributes.parameters(template) for name in names.split(", ")}
    assert taken == told


def test_every_template_is_told():
    there = {path.name for path in shipped("submit_templates").glob("*.sub")}
    assert there - {*attributes.PARAMETERS} == {"glidein-selftest.sub"}


def test_attributes_has_all_that_the_access_points_write_and_keep():
    page = attributes.page()
    text = "\n".join(path.read_text() for path in shipped("condor_config.d").glob("*.conf"))
    written = re.findall(r"^ +(?:SET|EVALSET|DEFAULT|DELETE|COPY|RENAME) +(\w+)", text, re.MULTILINE)
    kept = " ".join(re.findall(r"^(?:IMMUTABLE|PROTECTED)_JOB_ATTRS = \$\(\w+\) (.+)$", text, re.MULTILINE)).split()
    assert written
    assert all(f"`{name}`" in page for name in (*written, *kept))
    assert len(attributes.requirements()) == len(
        [path for path in shipped("condor_config.d").glob("*.conf") if "SUBMIT_REQUIREMENT_NAMES =" in path.read_text()]
    )


def test_alarms_has_every_rule_and_whatever_the_window_raises():
    page = alarms.page()
    ruled = {rule["alert"] for rule in alarms.rules()}
    named = set(re.findall(r"\bMlinfn[A-Z]\w+", (ROOT / "mlinfn_condor" / "web" / "alarms.py").read_text()))
    raised = {
        name for path in (ROOT / "mlinfn_condor" / "web").rglob("*.py") for name in ALARM.findall(path.read_text())
    }
    assert named == {kind.name for kind in alarms.kinds()}
    assert named <= ruled, "one of the same name in Prometheus says what to do"
    assert raised == {name for name, one in vars(alarms.alarms).items() if isinstance(one, alarms.alarms.Kind)}
    assert all(f"`{name}`" in page for name in ruled)
    assert all(kind.when in page for kind in alarms.kinds())


def test_an_alarm_says_which_page_helps():
    assert [rule["alert"] for rule in alarms.rules() if "docs/" not in rule["annotations"]["description"]] == []


def test_the_picture_of_the_records_has_tables_that_there_are():
    picture = (ROOT / "docs" / "pictures" / "records.svg").read_text()
    named = re.findall(r'class="head">(\w+)<', picture)
    assert len(named) > 10
    assert {f"mlinfn.{name}" for name in named} - database.relations().keys() == set()


def test_a_mark_is_filled_and_one_that_nobody_makes_is_a_mistake():
    assert "### mlinfn db up" in filled("before\n<!-- made from the code: commands -->\nafter")
    with pytest.raises(ModuleNotFoundError):
        filled("<!-- made from the code: nothing -->")


def test_every_page_of_reference_is_made():
    marks = re.compile(r"^<!-- made from the code: (\w+) -->$", re.MULTILINE)
    made = {mark for path in (ROOT / "docs" / "reference").glob("*.md") for mark in marks.findall(path.read_text())}
    helping = {"__init__", "writing", "models"}
    assert made == {path.stem for path in (ROOT / "docs" / "generating").glob("*.py")} - helping
