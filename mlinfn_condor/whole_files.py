"""Small files that somebody else reads while they are written."""

from pathlib import Path


def replace(file: Path, text: str, mode: int | None = None) -> None:
    """Put the text there, whole or not at all; of one writer at a time. Raises OSError."""
    new = file.with_name(f".{file.name}.new")
    new.write_text(text)
    if mode is not None:
        new.chmod(mode)
    new.replace(file)
