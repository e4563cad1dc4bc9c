"""`mlinfn pool …`: a private HTCondor pool on this machine."""

import json
import shlex

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command()
def install() -> None:
    """Install HTCondor into a private folder, unless this machine has 25.0 or newer. Touches nothing else."""
    from mlinfn_condor.cli.progress import RichReport
    from mlinfn_condor.embedded import distribution
    from mlinfn_condor.settings import Settings

    found = distribution.ensure(Settings(), RichReport())
    print(f"HTCondor {found.version} in {found.bin}{'' if found.private else ', of this machine'}")


@app.command()
def up() -> None:
    """Bring the pool up, or find it: a central manager, two access points, two nodes."""
    from mlinfn_condor.cli.progress import RichReport
    from mlinfn_condor.embedded import lifecycle
    from mlinfn_condor.settings import Settings

    settings = Settings()
    pool = lifecycle.up(settings, RichReport())
    print(f"pool {settings.pool} {'was up already' if pool.found else 'is up'}: HTCondor {pool.distribution.version}")
    print('eval "$(mlinfn pool env)" puts condor_submit and its friends on PATH; `mlinfn status` looks around')


@app.command()
def down() -> None:
    """Take the pool down. Running jobs save their state; the queue is there again after the next `up`."""
    from mlinfn_condor.cli.progress import RichReport
    from mlinfn_condor.embedded import lifecycle
    from mlinfn_condor.settings import Settings

    settings = Settings()
    with RichReport().step(f"take pool {settings.pool} down"):
        ran = lifecycle.down(settings)
    print(f"pool {settings.pool} {'is down' if ran else 'was not up'}")


@app.command()
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


@app.command()
def env(
    user: str | None = typer.Option(None, help="Identity to speak with; default: the pool's first user."),
) -> None:
    r"""Print what a shell needs to speak to the pool: eval "$(mlinfn pool env)", then condor_submit, condor_q …"""
    from mlinfn_condor.embedded import lifecycle
    from mlinfn_condor.settings import Settings

    for name, value in lifecycle.environment(Settings(), user).items():
        print(f"export {name}={shlex.quote(value)}")
