"""A transfer that ends early ends in a way that can be told, and is taken up again by the same command."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from privgan.errors import PrivganError


class UnfinishedError(PrivganError):
    """The archive or the network gave up, or SIGTERM arrived; what is done is in the journal, the rest can follow."""

    exit_code = 75


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """While the block runs, SIGTERM raises instead of killing.

    Raises:
        UnfinishedError: SIGTERM arrived.
    """

    def stop(_: int, __: FrameType | None) -> None:
        raise UnfinishedError("Asked to stop (SIGTERM).")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
