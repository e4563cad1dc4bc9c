"""Where the files lie that ship beside the code: policy, submit templates, node files."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """Folder `condor_config.d`, `submit_templates` or `glidein`: below `_shipped` in a wheel, on top of a checkout."""
    for root in (_PACKAGE / "_shipped", _PACKAGE.parent):
        if (root / name).is_dir():
            return root / name
    raise FileNotFoundError(f"{name} is neither in the installed package nor beside it: reinstall mlinfn-condor")
