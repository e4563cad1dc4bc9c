"""`mlinfn web …`: the window on the pool."""

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def web() -> None:
    """Pages that show who has which device, who waits for what, your jobs, and the reports."""


@app.command()
def serve(
    port: int | None = typer.Option(
        None, min=0, max=65535, help="0: any free one; default: $MLINFN_WEB_PORT, else 9820."
    ),
    dsn: str | None = typer.Option(
        None, "--dsn", help="Database of the reports; default: $MLINFN_DATABASE, else the private one."
    ),
) -> None:
    """Show the pool at an address of this machine's own, to you alone, until it is stopped.

    Example: mlinfn web serve --port 0
    """
    from mlinfn_condor.web import serving

    serving.find_pool()
    serving.alone(port, dsn, lambda url: print(f"the pool is at {url}", flush=True))
