"""Which images a site runs, to the digit."""

from mlinfn_condor.site.settings import Site

PRODUCT = ("platform", "hub", "glidein", "files")
"""Ours; images/Containerfile and glidein/Containerfile make them."""


def image(site: Site, name: str) -> str:
    """Of the product: by digest where the site names one, which the version beside it then only explains."""
    images = site.kubernetes.images
    digest = images.digests.get(name)  # type: ignore[call-overload]  # any other name has none
    return f"{images.registry}/{name}:{images.version}{f'@{digest}' if digest else ''}"


def split(image: str) -> dict[str, str]:
    """As kustomize wants it: newName, and digest or newTag."""
    name, _, digest = image.partition("@")
    before, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        before, tag = name, ""
    return {"newName": before, **({"digest": digest} if digest else {"newTag": tag})}
