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


def _ask(question: str, offered: str) -> str:
    return str(typer.prompt(question, default=offered, show_default=bool(offered)))
