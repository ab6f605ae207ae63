"""The file behind --log: what a command said on stderr and how far it was, a line each, with the time in UTC.

No result is written, and of the command line the verb alone, because words that were typed may be a patient's number.
What is said on stderr holds no value of a patient's file, which is the rule for all messages.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from privgan.errors import UsageError
from privgan.files import PRIVATE_FILE


class Log:
    """A file that lines are appended to; several commands may write to one."""

    def __init__(self, descriptor: int) -> None:
        """descriptor: of a file that is open for appending."""
        self._descriptor = descriptor

    @classmethod
    def opened(cls, path: Path) -> Self:
        """The file at `path`, made (0600) if there is none.

        Raises:
            UsageError: it cannot be written to.
        """
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            return cls(os.open(path, flags, PRIVATE_FILE))
        except OSError as error:
            raise UsageError(f"Expected a file that can be written for --log, got {error.strerror}.") from None

    def line(self, text: str) -> None:
        """Append a line; whole, also when others write."""
        moment = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        words = " ".join(text.split())
        os.write(self._descriptor, f"{moment} {os.getpid()} {words}\n".encode())

    def close(self) -> None:
        """Let the file go."""
        os.close(self._descriptor)
