"""`mlinfn pool …`: a private HTCondor pool on this machine."""

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

import typer

from mlinfn_condor.errors import UserError

CALLED_BY_ROOT = "MLINFN_CALLED_BY_ROOT"
"""Set by the checkout's `./mlinfn` when root runs it and it has changed to an ordinary user."""

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command(epilog="Example: mlinfn pool install")
def install() -> None:
    """Install HTCondor into a private folder, unless this machine has 25.0 or newer. Touches nothing else."""
    from mlinfn_condor.cli.progress import RichReport
    from mlinfn_condor.embedded import distribution
    from mlinfn_condor.settings import Settings

    found = distribution.ensure(Settings(), RichReport())
    print(f"HTCondor {found.version} in {found.bin}{'' if found.private else ', of this machine'}")


@app.command(epilog="Example: mlinfn pool up")
def up() -> None:
    """Bring the pool up, or find it: a central manager, two access points, two nodes."""
    from mlinfn_condor.cli.progress import RichReport
    from mlinfn_condor.embedded import lifecycle
    from mlinfn_condor.settings import Settings

    settings = Settings()
    pool = lifecycle.up(settings, RichReport())
    print(f"pool {settings.pool} {'was up already' if pool.found else 'is up'}: HTCondor {pool.distribution.version}")
    print("`mlinfn status` looks around; `mlinfn pool shell` opens a shell with condor_submit and its friends")


@app.command(epilog="Example: mlinfn pool down")
def down() -> None:
    """Take the pool down. Running jobs save their state; the queue is there again after the next `up`."""
    from mlinfn_condor.cli.progress import RichReport
    from mlinfn_condor.embedded import lifecycle
    from mlinfn_condor.settings import Settings

    settings = Settings()
    with RichReport().step(f"take pool {settings.pool} down"):
        ran = lifecycle.down(settings)
    print(f"pool {settings.pool} {'is down' if ran else 'was not up'}")


@app.command(epilog="Example: mlinfn pool status --json")
def status(as_json: bool = typer.Option(False, "--json", help="For programs.")) -> None:
    """Say whether the pool is up, where it lies, and which HTCondor it runs. Exit code 1 when it is not up."""
    from mlinfn_condor.embedded import lifecycle
    from mlinfn_condor.settings import Settings

    settings = Settings()
    pool = lifecycle.running(settings)
    told = {
        "pool": settings.pool,
        "folder": str(pool.layout.folder),
        "condor": pool.distribution.version,
        "programs": str(pool.distribution.bin),
        "users": sorted(path.name for path in pool.layout.homes.iterdir()),
    }
    if as_json:
        print(json.dumps(told))
        return
    print(f"pool {told['pool']} is up: HTCondor {told['condor']} from {told['programs']}")
    print(f"folder {told['folder']}, logs in {pool.layout.log}")
    print(f"users {', '.join(told['users'])}")


@app.command(epilog='Example: eval "$(mlinfn pool env --user bob)"')
def env(
    user: str | None = typer.Option(None, help="Identity to speak with; default: the pool's first user."),
) -> None:
    r"""Print what a shell needs to speak to the pool: eval "$(mlinfn pool env)", then condor_submit, condor_q …"""
    from mlinfn_condor.embedded import lifecycle
    from mlinfn_condor.settings import Settings

    environment = lifecycle.environment(Settings(), user)
    if os.environ.get(CALLED_BY_ROOT):
        raise UserError(
            "HTCondor refuses root's commands: `./mlinfn pool shell` opens a shell that can speak to the pool"
        )
    for name, value in environment.items():
        print(f"export {name}={shlex.quote(value)}")


@app.command()
def shell(
    command: list[str] = typer.Argument(None, help="Run this instead of a shell; its own options may follow."),
    user: str | None = typer.Option(None, help="Identity to speak with; default: the pool's first user."),
) -> None:
    """Open a shell, or run one command, that speaks to the pool, in the user's home that his jobs share. mlinfn and its
    Python come first on the path.

    Example: mlinfn pool shell --user admin -- condor_q -all
    """
    from mlinfn_condor.embedded import lifecycle
    from mlinfn_condor.settings import Settings

    environment = os.environ | lifecycle.environment(Settings(), user)
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    environment.pop(CALLED_BY_ROOT, None)  # whoever types into it is an ordinary user
    if not command:
        os.chdir(environment["MLINFN_USER_HOME"])
    words = command or [shutil.which("bash") or "sh"]
    try:
        os.execvpe(words[0], words, environment)  # noqa: S606 - the user's own command, in the user's own shell
    except OSError as error:
        raise UserError(f"{words[0]}: {error.strerror}") from error
