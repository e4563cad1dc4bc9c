"""What the story shows at its end: who gave way to whom, what it cost, the times, and how to look around."""

from collections.abc import Mapping, Sequence

from mlinfn_condor.demo import records
from mlinfn_condor.demo.narrator import Narrator
from mlinfn_condor.demo.outcome import DisplacementOutcome, SessionOutcome, TrainingOutcome
from mlinfn_condor.demo.terminal import Terminal
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.shipped import shipped


def tell(
    administrator: Terminal,
    displaced: Sequence[DisplacementOutcome],
    finished: Sequence[TrainingOutcome],
    session: SessionOutcome,
    labels: Mapping[str, str],
    narrator: Narrator,
) -> None:
    """Tables from the access points' records, from the trainings' own results, and from the session's events."""
    narrator.say(f"All {len(finished)} trainings have finished. Who displaced whom:")
    narrator.table(["displaced", "from", "by"], records.rows(displaced, labels))
    victims = {one.victim for one in displaced}
    narrator.say("What it cost them:")
    narrator.table(
        ["training", "resumed", "epochs lost", "accuracy"],
        [
            [f"{one.job} of {one.user}", str(one.resumed), f"{one.lost_epochs:.2f}", f"{one.accuracy:.3f}"]
            for one in finished
            if one.job in victims
        ],
    )
    narrator.say("The session, in seconds after its submit:")
    times = (session.running_s, session.answer_s, session.device_s)
    narrator.table(["running", "JupyterLab answers", "first cell on its device"], [[f"{time:.2f}" for time in times]])
    narrator.say("Fair share, as an administrator sees it:")
    narrator.quote("$ condor_userprio\n" + administrator.run("condor_userprio"))


def look_around(running: RunningPool, hub: RunningHub, narrator: Narrator) -> None:
    """The commands with which a person goes on."""
    mlinfn = "./mlinfn" if (shipped("submit_templates").parent / "mlinfn").is_file() else "mlinfn"
    name = running.settings.pool
    option = "" if name == "demo" else f" --pool {name}"
    narrator.chapter(f"The pool {name} stays up")
    narrator.table(
        ["to", "type"],
        [
            ["see who runs what", f"{mlinfn}{option} status"],
            ["open JupyterLab in a browser", f"{hub.url} (carol, password {hub.passwords['carol']})"],
            ["see all accounts of the hub", f"{mlinfn}{option} hub up"],
            ["have condor_submit and its friends on PATH", f"{mlinfn}{option} pool shell"],
            ["see how the devices were used", f"{mlinfn} report utilisation"],
            ["stop it", f"{mlinfn}{option} pool down"],
        ],
    )
