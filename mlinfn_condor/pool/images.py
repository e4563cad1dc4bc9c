"""How a job's image comes, which decides which nodes can run it."""

from enum import StrEnum


class ImageKind(StrEnum):
    """The value is what a node that runs such images advertises, beside HasContainer."""

    FOLDER = "HasSandboxImage"
    FILE = "HasSIF"
    REGISTRY = "HasDockerURL"
    DOCKER = "HasDocker"
    """Not an image that a node's Apptainer could run, but one for a Docker daemon there."""

    @classmethod
    def of(cls, image: str) -> "ImageKind":
        """As condor_submit reckons it from `container_image`."""
        if image.startswith("docker:"):
            return cls.REGISTRY
        return cls.FILE if image.endswith(".sif") else cls.FOLDER

    @property
    def words(self) -> str:
        """How it stands in a sentence."""
        return _WORDS[self]


_WORDS = {
    ImageKind.FOLDER: "a folder",
    ImageKind.FILE: "a .sif file",
    ImageKind.REGISTRY: "docker://…",
    ImageKind.DOCKER: "universe = docker",
}
