"""The processes that rank 0 starts: the one that is at fault is named, and none is left behind."""

import os
import sys
import time

import pytest

from privgan.errors import LostRankError, UsageError
from privgan.gan.ranks.helpers import Helpers

_WAITS, _LOST, _DIES = (
    "import time; time.sleep(600)",
    "import sys; sys.exit(75)",
    "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
)
_COMMAND = (sys.executable, "-S", "-c", "import os; exec(os.environ['WHAT'])")


def _doing(*what: str) -> list[dict[str, str]]:
    return [{**os.environ, "WHAT": each} for each in what]


def _lost_once_ended(helpers: Helpers, *numbers: int) -> None:
    while any(helpers.processes[number].poll() is None for number in numbers):
        time.sleep(0.01)
    raise LostRankError("somebody")


def test_the_one_at_fault_is_named_not_those_who_lost_it() -> None:
    with (
        pytest.raises(LostRankError, match="number 3 of 4 was ended by SIGKILL"),
        Helpers.started(_COMMAND, _doing(_LOST, _DIES, _WAITS)) as helpers,
    ):
        _lost_once_ended(helpers, 0, 1)
    assert all(process.returncode is not None for process in helpers.processes)
    assert helpers.processes[2].returncode < 0


def test_of_nobody_who_ended_the_first_word_stays() -> None:
    """One that hangs has not ended: what the connection said is told."""
    with (
        pytest.raises(LostRankError, match="does not answer"),
        Helpers.started(_COMMAND, _doing(_WAITS)) as helpers,
    ):
        raise LostRankError("one does not answer")
    assert helpers.processes[0].returncode < 0


def test_of_those_who_only_lost_somebody_the_first_word_stays() -> None:
    """Ranks that all refuse one another's word end alike: what rank 0 said is told, not that others ended."""
    with (
        pytest.raises(LostRankError, match="somebody"),
        Helpers.started(_COMMAND, _doing(_LOST, _LOST)) as helpers,
    ):
        _lost_once_ended(helpers, 0, 1)


def test_another_error_leaves_nobody_behind() -> None:
    with pytest.raises(UsageError), Helpers.started(_COMMAND, _doing(_WAITS, _WAITS)) as helpers:
        raise UsageError("of rank 0 alone")
    assert all(process.returncode is not None for process in helpers.processes)


def test_who_was_not_started_here_is_not_watched() -> None:
    with Helpers.started((), _doing(_WAITS)) as helpers:
        assert helpers.processes == ()
        helpers.require()
