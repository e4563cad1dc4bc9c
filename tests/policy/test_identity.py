"""Who may connect, and for what."""

import pytest

from mlinfn_condor.shipped import shipped

LEVELS = ["READ", "WRITE", "DAEMON", "NEGOTIATOR", "ADMINISTRATOR", "CONFIG", "CLIENT"]
LEVELS += ["ADVERTISE_MASTER", "ADVERTISE_SCHEDD", "ADVERTISE_STARTD"]
DAEMONS_ONLY = ["DAEMON", "NEGOTIATOR", "ADVERTISE_MASTER", "ADVERTISE_SCHEDD"]


@pytest.mark.parametrize("what", ["AUTHENTICATION", "INTEGRITY", "ENCRYPTION"])
def test_every_connection_is_authenticated_whole_and_secret(batch, what):
    assert batch.knob(f"SEC_DEFAULT_{what}") == "REQUIRED"
    per_level = [batch.knob(f"SEC_{level}_{what}") for level in LEVELS]
    assert set(per_level) <= {None, "REQUIRED"}


@pytest.mark.parametrize("level", ["DEFAULT", "CLIENT"])
def test_tokens_are_the_only_method(batch, level):
    assert batch.words(f"SEC_{level}_AUTHENTICATION_METHODS") == ["IDTOKENS"]


@pytest.mark.parametrize("level", LEVELS)
def test_no_level_is_open_to_everybody(batch, level):
    assert not {"*", "*/*", "*@*"} & set(batch.words(f"ALLOW_{level}"))


def test_no_setting_of_a_single_daemon_opens_a_level(batch):
    opened = [name for name in batch.names() if ".ALLOW_" in name.upper() or "_ALLOW_READ" in name.upper()]
    assert opened == []


def test_users_read_and_write_and_glideins_do_not(batch):
    for level in ("READ", "WRITE"):
        assert batch.words(f"ALLOW_{level}") == ["*@demo"]
        assert batch.words(f"DENY_{level}") == ["glidein@demo"]


@pytest.mark.parametrize("level", DAEMONS_ONLY)
def test_daemons_serve_each_other_only(batch, level):
    assert batch.words(f"ALLOW_{level}") == ["condor@demo"]


def test_a_glidein_may_advertise_slots(batch):
    assert batch.words("ALLOW_ADVERTISE_STARTD") == ["condor@demo", "glidein@demo"]


def test_administrators_command(batch):
    assert batch.words("ALLOW_ADMINISTRATOR") == ["condor@demo", "admin@demo"]


def test_nobody_changes_the_configuration_over_the_network(batch):
    assert not batch.knob("ALLOW_CONFIG")
    assert batch.knob("DENY_CONFIG") == "*"
    for knob in ("ENABLE_RUNTIME_CONFIG", "ENABLE_PERSISTENT_CONFIG"):
        assert batch.evaluate(batch.knob(knob)) is False


@pytest.mark.parametrize("what", ["TOKEN_REQUEST", "TOKEN_FETCH", "IMPERSONATION_TOKENS"])
def test_daemons_issue_no_tokens(batch, what):
    assert batch.evaluate(batch.knob(f"SEC_ENABLE_{what}")) is False


def test_the_account_of_the_daemons_is_no_superuser(batch):
    assert batch.evaluate(batch.knob("PERSONAL_CONDOR_IS_SUPER_USER")) is False


def test_only_the_session_queue_trusts_the_hub(batch, interactive):
    assert batch.words("QUEUE_SUPER_USERS") == ["condor", "admin"]
    assert interactive.words("QUEUE_SUPER_USERS") == ["condor", "admin", "hub"]


def test_who_keeps_schedules_is_trusted_with_the_batch_queue_only(batch, interactive):
    assert batch.words("MLINFN_SCHEDULERS") == interactive.words("MLINFN_SCHEDULERS") == []
    text = (shipped("condor_config.d") / "13-trust-few-with-the-queue.conf").read_text()
    trusted = {line.split(" = ")[0] for line in text.splitlines() if line.endswith("$(MLINFN_SCHEDULERS)")}
    assert trusted == {"QUEUE_SUPER_USERS"}


@pytest.mark.parametrize(
    ("name", "may"), [("alice", True), ("administrator", True), ("root", False), ("condor", False), ("admin", False)]
)
def test_the_hub_may_act_for_users_but_not_for_roles(batch, name, may):
    assert batch.evaluate(f'regexp("{batch.knob("QUEUE_SUPER_USER_MAY_IMPERSONATE")}", "{name}")') is may
