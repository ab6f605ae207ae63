"""Every refusal that privgan makes on purpose, each with the exit code of the command line.

A message says what was expected, what came and what to do next. It never carries a value read
from a patient's file: no names, UIDs, header values or file names below a source folder.
"""

from typing import ClassVar


class PrivganError(Exception):
    """Base of all deliberate errors; never raised itself.

    Its message is in the language of the code, whoever reads it: whoever shows it retells it, in `language` where
    nobody chose another.
    """

    exit_code: ClassVar[int] = 1
    language = ""


class UsageError(PrivganError):
    """A wrong argument or configuration, a missing path, an output that already exists."""

    exit_code = 2


class AuditFailedError(PrivganError):
    """The audit found a leak: verdict FAIL. Nothing may leave."""

    exit_code = 3


class NotReleasableError(PrivganError):
    """The audit's verdict is INCONCLUSIVE or INVALID, or its scope carries no privacy claim."""

    exit_code = 4


class InputRejectedError(PrivganError):
    """Nothing in the input could be used, or the cohort is too small for what was asked."""

    exit_code = 5


class IntegrityError(PrivganError):
    """A file is edited, foreign, incomplete or unsigned."""

    exit_code = 6


class BudgetError(PrivganError):
    """The privacy budget is exhausted, the ledger is damaged, or a run disagrees with it."""

    exit_code = 7


class PreemptedError(PrivganError):
    """SIGTERM arrived; the run was saved and can be resumed."""

    exit_code = 75


class LostRankError(PrivganError):
    """One of several processes that train together ended or does not answer; the run can be resumed."""

    exit_code = 75


class InterruptedRunError(PrivganError):
    """Ctrl-C arrived; the run was saved and can be resumed."""

    exit_code = 130
