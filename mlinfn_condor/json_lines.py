"""Files that only grow, a line of JSON each."""

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def append(file: Path, facts: Mapping[str, Any]) -> None:
    """Add a line, in one write: lines of two writers do not mix. Raises OSError, also when not all of it fitted."""
    line = f"{json.dumps(facts, separators=(',', ':'))}\n".encode()
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        if os.write(descriptor, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
    finally:
        os.close(descriptor)
