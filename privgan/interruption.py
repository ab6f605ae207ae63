"""Ctrl-C and SIGTERM as a wish that a long loop grants at its next step, with everything saved."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from privgan.errors import InterruptedRunError, PreemptedError
from privgan.language import to_tr


class StopRequest:
    """Remembers the first signal that asked for an end."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def note(self, number: int, _: FrameType | None) -> None:
        """The signal handler."""
        self.signal = self.signal or number

    def heed(self) -> None:
        """End the wait of a loop in which nothing has been saved since it began.

        Raises:
            InterruptedRunError, PreemptedError: a signal has arrived.
        """
        if self.signal:
            raise self.error()

    def error(
        self, saved: str = to_tr("the run is saved. Continue it with --resume.")
    ) -> InterruptedRunError | PreemptedError:
        """The refusal to raise once everything is saved; it says what is, and how to go on."""
        if self.signal == signal.SIGINT:
            return InterruptedRunError(f"Interrupted; {saved}")
        return PreemptedError(f"Asked to stop (SIGTERM); {saved}")


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """While the block runs, SIGINT and SIGTERM are noted instead of ending the process."""
    request = StopRequest()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, request.note) for number in numbers}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
