"""How long a service that ended waits for its next start; pure."""

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 300.0
SOUND_SECONDS = 300.0
"""Who ran so long was sound: what ended it is no reason to wait for longer than at first."""


def failures(before: int, ran_seconds: float) -> int:
    """How many ends in a row, the one that was just seen included."""
    return 1 if ran_seconds >= SOUND_SECONDS else before + 1


def pause_seconds(failed: int) -> float:
    """1, 2, 4 … s, five minutes at most: what is broken for long is tried again, and costs nothing meanwhile."""
    return min(FIRST_SECONDS * 2.0 ** min(failed - 1, 30), LONGEST_SECONDS)
