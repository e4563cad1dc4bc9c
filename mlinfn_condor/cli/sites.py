"""`mlinfn site …`: a site in one file."""

from pathlib import Path

import typer

from mlinfn_condor.errors import UserError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def site() -> None:
    """One file describes a site; `mlinfn config` checks and renders it. docs/deploy.md goes step by step."""


@app.command()
def new(
    example: bool = typer.Option(False, "--example", help="Ask nothing; write the answers that are offered."),
    output: Path = typer.Option(Path("mlinfn.toml"), help="The file; one that is there is not touched."),
) -> None:
    """Ask a dozen questions and write a commented site file.

    Example: mlinfn site new --example --output mlinfn.toml
    """
    from mlinfn_condor.site.asking import collect
    from mlinfn_condor.site.first_file import Answers, text
    from mlinfn_condor.site.settings import parse

    if output.exists():
        raise UserError(f"{output} is there already: name another file with --output, or change that one")
    answers = Answers() if example else collect(_ask, lambda said: typer.echo(f"  {said}", err=True))
    written = text(answers)
    parse(written, str(output))
    try:
        output.write_text(written)
    except OSError as error:
        raise UserError(f"{output}: {error.strerror}") from error
    print(f"{output} is written. Read it and change it; then: mlinfn config check {output}")


@app.command()
def secrets(
    file: Path = typer.Argument(help="The site's file."),
    output: Path = typer.Option(..., help="Folder for them, mode 700: outside of any checkout."),
) -> None:
    """Make the site's keys, tokens and passwords, and a script that puts them into Kubernetes. What is there stays.

    Example: mlinfn site secrets mlinfn.toml --output ~/secrets-of-bari && ~/secrets-of-bari/create
    """
    from mlinfn_condor.site.secrets import APPLY, make
    from mlinfn_condor.site.settings import read

    new = make(read(file), output)
    print(f"{output}: {len(new)} made, none replaced. Keep the folder safe; then: {output / APPLY}")


@app.command()
def selftest(
    file: Path = typer.Argument(help="The site's file."),
    url: str | None = typer.Option(None, help="Where the site answers, if that is not yet its hosts.public."),
    model: str | None = typer.Option(
        None, help="Device of the session; default: the first model of the file; - for none."
    ),
    authority: Path | None = typer.Option(
        None, help="Certificates of the site's authority, if browsers do not know it."
    ),
    seconds: int = typer.Option(900, min=10, help="How long jobs may wait for a node."),
    dsn: str | None = typer.Option(
        None, "--dsn", help="Database in which what ran has to appear; default: not looked at."
    ),
) -> None:
    """Go through a deployed site as a person does, and say in words what is wrong: the door, a session on a device, the
    home, Dask, a training, the report. MLINFN_HUB_TOKEN is a user's token, from the hub's page Token.

    Example: MLINFN_HUB_TOKEN=… mlinfn site selftest mlinfn.toml
    """
    import os

    from mlinfn_condor.demo.site_story import Ask, play
    from mlinfn_condor.site.settings import read

    site = read(file)
    if not (token := os.environ.get("MLINFN_HUB_TOKEN")):
        raise UserError("MLINFN_HUB_TOKEN is not set: make a token at the hub's page Token")
    chosen = next(iter(site.pool.models), "") if model is None else model.removeprefix("-")
    kind = "fpga" if site.pool.models.get(chosen) == "FPGAs" else "gpu"
    ask = Ask(
        (url or site.hosts.public).rstrip("/"), token, chosen, kind, seconds, str(authority) if authority else True
    )
    user = play(ask, print)
    if dsn:
        from mlinfn_condor.demo.site_report import appears

        appears(dsn, user, print)
    print(f"site {site.name} does what it is for")


def _ask(question: str, offered: str) -> str:
    return str(typer.prompt(question, default=offered, show_default=bool(offered)))
