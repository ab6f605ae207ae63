"""Looking again and again for what another process does."""

import time
from collections.abc import Callable

LOOK_S = 0.02


def in_time(done: Callable[[], bool], seconds: float) -> bool:
    """Wait until it is so, at most so many seconds; whether it is."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_S)
    return True
