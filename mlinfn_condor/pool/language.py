"""The submit language's traps: user text must reach a job as text.

HTCondor expands macros in every value on the client's side: `$ENV(SECRET)` in the name of a model would put the secret
into an ad that anybody may read.
"""

import re

EXPANSION = re.compile(r"\$[A-Za-z$]*\(")
"""`$(x)`, `$$(x)`, `$$([expr])`, `$ENV(x)`, `$Fpdnxq(x)`, `$INT(x)`, `$CHOICE(...)` and any function to come."""


def complaint(value: str) -> str | None:
    """Why HTCondor would not take `value` as the text it is, with the cure; None when it does."""
    if expansion := EXPANSION.search(value):
        return f"{expansion.group()!r} would be expanded by HTCondor: put it into a script and name the script"
    if not value.isprintable():
        return "it has a line break or another control character: give plain text on one line"
    if value.endswith("\\"):
        return "a backslash at the end would join it to the next line: leave it out"
    return None


def arguments(words: list[str]) -> str:
    """Words in HTCondor's argument syntax, without the double quotes around the whole that the template has."""
    return " ".join(_argument(word) for word in words)


def _argument(word: str) -> str:
    doubled = word.replace('"', '""').replace("'", "''")
    return f"'{doubled}'" if not word or "'" in word or any(character.isspace() for character in word) else doubled
