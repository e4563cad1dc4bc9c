"""`mlinfn config …`: what a site says about itself, checked, turned into configuration, compared with what is there."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mlinfn_condor.errors import UserError

if TYPE_CHECKING:
    from mlinfn_condor.contracts.settings import Contracts
    from mlinfn_condor.site.settings import Site

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
FILE = typer.Argument(help="The site's file (docs/deploy.md), or a contracts file alone (docs/sharing.md); TOML.")


@app.callback()
def config() -> None:
    """The site's file is the one place; what is rendered from it is never edited."""


@app.command(epilog="Example: mlinfn config check mlinfn.toml")
def check(file: Path = FILE) -> None:
    """Say every mistake of the file at once, also what does not fit together, each with its cure. Exit code 1: some."""
    from mlinfn_condor.site.settings import Site
    from mlinfn_condor.submission.phrases import plural

    found = _read(file)
    told = f"{plural(len(found.pool.projects), 'project')}, {plural(len(found.pool.models), 'model')} of devices"
    if isinstance(found, Site):
        kinds = plural(len(found.provisioning.kinds), "kind")
        print(f"{file} is right: site {found.name}, {told}, {kinds} of nodes that come with demand")
    else:
        print(f"{file} can be kept: {told}")


@app.command()
def render(
    file: Path = FILE,
    output: Path | None = typer.Option(None, help="Folder to write into; needed for a site."),
) -> None:
    """Turn a site into HTCondor configuration and Kubernetes manifests, or contracts into configuration that HTCondor
    reads after condor_config.d. The same file, the same text.

    Example: mlinfn config render mlinfn.toml --output deploy
    """
    from mlinfn_condor.contracts.render import FILE as NAME
    from mlinfn_condor.contracts.render import render as rendered
    from mlinfn_condor.site.rendering import render as render_site
    from mlinfn_condor.site.settings import Site
    from mlinfn_condor.site.writing import write

    found = _read(file)
    if isinstance(found, Site):
        if output is None:
            raise UserError("a site is many files: say where with --output FOLDER")
        count = write(render_site(found), output)
        print(f"{output}: {count} files. Read them, then: kubectl apply -k {output}/overlay")
        return
    text = rendered(found)
    if output is None:
        print(text, end="")
        return
    write({NAME: text}, output, owns_folder=False)
    print(f"{output / NAME} is written: have HTCondor read it with condor_reconfig")


@app.command()
def diff(
    file: Path = FILE,
    folder: Path | None = typer.Argument(None, help="What was rendered before. Without it: the running site."),
    context: str | None = typer.Option(None, help="Of the kubeconfig, where the site runs."),
) -> None:
    """Show what rendering would change in a folder, or at the running site (kubectl diff). Exit code 1: something.

    Example: mlinfn config diff mlinfn.toml deploy
    """
    from mlinfn_condor.site.rendering import render as render_site
    from mlinfn_condor.site.settings import Site
    from mlinfn_condor.site.writing import differences, write

    site = _read(file)
    if not isinstance(site, Site):
        raise UserError(
            f"{file} is a contracts file: `mlinfn config render {file} | diff CONTRACTS.CONF -` compares it"
        )
    if folder is not None:
        lines = list(differences(render_site(site), folder))
        sys.stdout.writelines(lines)
        sys.exit(1 if lines else 0)
    with tempfile.TemporaryDirectory() as temporary:
        write(render_site(site), Path(temporary))
        chosen = ["--context", context] if context else []
        try:
            done = subprocess.run(["kubectl", *chosen, "diff", "-k", f"{temporary}/overlay"], check=False)
        except FileNotFoundError as error:
            raise UserError("there is no kubectl on PATH: name the folder that was rendered before") from error
    sys.exit(done.returncode)


def _read(file: Path) -> "Site | Contracts":
    from mlinfn_condor import settings_file
    from mlinfn_condor.contracts.settings import parse as parse_contracts
    from mlinfn_condor.site.settings import is_site
    from mlinfn_condor.site.settings import parse as parse_site

    text = settings_file.text_of(file)
    if is_site(settings_file.tables(text, str(file))):
        return parse_site(text, str(file))
    return parse_contracts(text, str(file))
