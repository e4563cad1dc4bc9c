"""`mlinfn config …`: what a site promises to whom, checked and turned into HTCondor configuration."""

from pathlib import Path

import typer

from mlinfn_condor.errors import UserError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
FILE = typer.Argument(help="The contracts, TOML; docs/sharing.md tells its tables.")


@app.callback()
def config() -> None:
    """The contracts file is the one place; what is rendered from it is never edited."""


@app.command()
def check(file: Path = FILE) -> None:
    """Say every mistake of the file at once, promises that cannot be kept together included. Exit code 1: some."""
    from mlinfn_condor.contracts.settings import read

    contracts = read(file)
    print(
        f"{file} can be kept: {len(contracts.pool.projects)} projects, {len(contracts.pool.models)} models of devices"
    )


@app.command()
def render(
    file: Path = FILE,
    output: Path | None = typer.Option(None, help="Write contracts.conf into this folder instead of printing it."),
) -> None:
    """Turn the contracts into configuration that HTCondor reads after condor_config.d. The same file, the same text.

    Example: mlinfn config render contracts.toml --output /etc/condor/mlinfn
    """
    from mlinfn_condor.contracts.render import FILE as NAME
    from mlinfn_condor.contracts.render import render as rendered
    from mlinfn_condor.contracts.settings import read

    text = rendered(read(file))
    if output is None:
        print(text, end="")
        return
    try:
        output.mkdir(parents=True, exist_ok=True)
        path = output / NAME
        unfinished = path.with_suffix(".new")
        unfinished.write_text(text)
        unfinished.replace(path)
    except OSError as error:
        raise UserError(f"{output}: {error.strerror}") from error
    print(f"{path} is written: have HTCondor read it with condor_reconfig")
