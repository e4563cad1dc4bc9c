"""The documentation as a site: Markdown as it stands in this folder, and pages of reference made from the code."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from mlinfn_condor import __version__

project = "mlinfn-condor"
copyright = "the maintainers of mlinfn-condor, Apache 2.0"  # noqa: A001 - Sphinx's name for it
version = release = __version__

extensions = ["myst_parser", "generating"]
exclude_patterns = ["examples/pipeline"]
source_suffix = {".md": "markdown"}
nitpicky = True
myst_heading_anchors = 4
"""Headings are linked to as GitHub links to them, so that the files read well there too."""

html_theme = "furo"
html_title = f"mlinfn-condor {version}"
html_copy_source = False
html_show_sphinx = False
highlight_language = "none"
smartquotes = False
"""`--option` is not a dash, and quotes are to be typed."""
