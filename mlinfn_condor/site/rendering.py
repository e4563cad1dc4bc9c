"""stub"""

from collections.abc import Mapping

from mlinfn_condor.site.settings import Site


def render(site: Site) -> Mapping[str, str]:
    """stub"""
    return {}
